import { describe, expect, it } from 'vitest'
import { Journal } from '../../../server/issuer/journal.ts'

const event = (taskId: string) => ({ type: 'task.completed', taskId }) as const

describe('a journal', () => {
  it('numbers its entries from 1 and returns those after a number', () => {
    const journal = new Journal()
    for (const id of ['a', 'b', 'c']) journal.append(journal.numbered(event(id), 10))

    expect(journal.after(1)).toEqual([
      { seq: 2, at: 10, ...event('b') },
      { seq: 3, at: 10, ...event('c') },
    ])
    expect(journal.after(3)).toEqual([])
    expect(journal.last).toBe(3)
  })

  it('drops the oldest entries, counts them, and continues the numbers', () => {
    const journal = new Journal(3)
    for (let at = 1; at <= 100; at += 1) journal.append(journal.numbered(event(String(at)), at))

    expect(journal.last).toBe(100)
    expect(journal.after(0).length).toBeLessThan(6)
    expect(journal.after(0)[0]?.seq).toBe(journal.forgotten + 1)
    expect(journal.after(99)).toMatchObject([{ seq: 100, taskId: '100' }])
  })

  it('drops the oldest entries above a number of bytes, too', () => {
    const journal = new Journal(1000, 10_000)
    const long = event('x'.repeat(1000))
    for (let at = 1; at <= 100; at += 1) journal.append(journal.numbered(long, at))

    expect(journal.last).toBe(100)
    expect(journal.after(0).length).toBeLessThan(10)
    expect(journal.after(0)[0]?.seq).toBe(journal.forgotten + 1)
    expect(journal.after(99)).toHaveLength(1)
  })

  it('calls its listeners until they unsubscribe', () => {
    const journal = new Journal()
    const heard: number[] = []
    const unlisten = journal.listen(({ seq }) => heard.push(seq))
    journal.announce(journal.numbered(event('a'), 1))
    unlisten()

    journal.announce(journal.numbered(event('b'), 2))

    expect(heard).toEqual([1])
  })
})
