import { describe, expect, it } from 'vitest'
import { Journal } from '../../../server/issuer/journal.ts'
import { sizeOf } from '../../../server/wire/size-of.ts'

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

  it('drops all entries, and counts them as forgotten, when numbers are missing', () => {
    const journal = new Journal()
    journal.append(journal.numbered(event('a'), 1))
    journal.append({ seq: 10, at: 2, ...event('b') })

    expect(journal.after(0)).toEqual([{ seq: 10, at: 2, ...event('b') }])
    expect([journal.forgotten, journal.last]).toEqual([9, 10])
  })

  it('keeps the given number of entries when it has twice as many', () => {
    const journal = new Journal(3)
    const kept = Array.from({ length: 6 }, (_, at) => {
      journal.append(journal.numbered(event('a'), at))
      return journal.after(0).length
    })

    expect(kept).toEqual([1, 2, 3, 4, 5, 3])
  })

  it('keeps the newer half when it has more bytes than the given number', () => {
    const entry = { seq: 1, at: 10, ...event('a') }
    const journal = new Journal(1000, 4 * sizeOf(entry))
    const kept = Array.from({ length: 8 }, () => {
      journal.append(journal.numbered(event('a'), 10))
      return journal.after(0).length
    })

    expect(kept).toEqual([1, 2, 3, 4, 3, 4, 3, 4])
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
