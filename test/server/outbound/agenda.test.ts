import { describe, expect, it } from 'vitest'
import { Clock } from '../../../server/issuer/tenant.ts'
import { Agenda } from '../../../server/outbound/agenda.ts'
import { handTimers } from '../http/issuer/world.ts'

const world = ({ runs = false } = {}) => {
  let now = 1000
  const clock = runs ? new Clock(() => now) : new Clock(undefined, 1000)
  const { timers, waiting } = handTimers()
  const ended = new AbortController()
  const agenda = new Agenda(clock, timers, ended.signal)
  const done: string[] = []
  return {
    agenda,
    clock,
    ended,
    waiting,
    done,
    plan: (name: string, due: number) =>
      agenda.at(due, () => {
        done.push(name)
      }),
    pass: (seconds: number) => {
      now += seconds
    },
  }
}

describe('an agenda', () => {
  it('runs due jobs when look() is called, in the order of their times', () => {
    const { agenda, clock, plan, done } = world()
    plan('later', 1100)
    plan('third', 1030)
    plan('first', 1010)
    plan('second', 1020)
    clock.advance(50)

    agenda.look()

    expect(done).toEqual(['first', 'second', 'third'])
  })

  it('runs a job that is due at once without look()', async () => {
    const { plan, done } = world()
    plan('now', 1000)

    await Promise.resolve()

    expect(done).toEqual(['now'])
  })

  it('sets a timer when the clock runs, and none when it is frozen', () => {
    const [running, standing] = [world({ runs: true }), world()]
    running.plan('late', 1600)
    running.plan('soon', 1060)
    standing.plan('soon', 1060)

    expect([...running.waiting.values()].map(({ milliseconds }) => milliseconds)).toEqual([60_000])
    expect(standing.waiting.size).toBe(0)
    running.pass(60)
    const [timer] = running.waiting.values()
    timer?.act()
    expect(running.done).toEqual(['soon'])
    expect([...running.waiting.values()].map(({ milliseconds }) => milliseconds)).toContain(540_000)
  })

  it('runs nothing after it is aborted', () => {
    const { agenda, clock, plan, done, ended, waiting } = world({ runs: true })
    plan('never', 1010)

    ended.abort()
    clock.advance(100)
    agenda.look()

    expect(plan('neither', 1000)).toBe(false)
    expect(done).toEqual([])
    expect(waiting.size).toBe(0)
  })

  it('reports the error of a job, and runs the next one', async () => {
    const { clock } = world()
    const heard: unknown[] = []
    const { signal } = new AbortController()
    const agenda = new Agenda(clock, handTimers().timers, signal, (thrown) => heard.push(thrown))
    const full = new Error('the journal cannot be written')
    agenda.at(1000, () => {
      throw full
    })
    agenda.at(1000, () => void heard.push('the next'))

    agenda.look()
    await agenda.settled()

    expect(heard).toEqual(expect.arrayContaining([full, 'the next']))
  })

  it('accepts 10,000 jobs and no more', () => {
    const { plan } = world()
    for (let times = 0; times < 10_000; times += 1) plan('x', 2000)

    expect(plan('one more', 2000)).toBe(false)
  })
})
