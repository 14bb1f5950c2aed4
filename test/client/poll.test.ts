import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, ConfigError, DeadlineExceededError, NetworkError } from '../../client/errors.ts'
import { isTransient, secondsToWait } from '../../client/poll.ts'
import { systemNow, systemSleep } from '../../client/time.ts'
import { atWork, json, networkFailure, reading, refusal } from './world.ts'

const status = 'GET /jit/request/jit_3/status'

const waiting = async () => {
  const there = await atWork()
  there.world.afterPolls = 1
  const request = await there.jit.requestPermission(reading('doc_1'))
  return { ...there, request }
}

describe('polling', () => {
  it('ends with approval_timeout at its limit, however often it gets slow_down', async () => {
    const { world, jit, request } = await waiting()
    world.on(status, () => refusal(429, 'slow_down'))

    await expect(jit.waitForApproval(request, { limit: 60 })).rejects.toMatchObject({
      code: 'approval_timeout',
      cause: { code: 'rate_limited' },
    })

    expect(world.slept).toEqual([5, 10, 15, 20])
  })

  it('ends with approval_timeout at once when the next poll would be after the limit', async () => {
    const { world, jit, request } = await waiting()
    world.on(status, () => refusal(429, 'rate_limit_exceeded', { 'retry-after': '3600' }))

    await expect(jit.waitForApproval(request)).rejects.toMatchObject({ code: 'approval_timeout' })

    expect(world.slept).toEqual([5])
  })

  it('ends with approval_timeout even if the clock stands still', async () => {
    const { jit, world, request } = await waiting()
    world.afterPolls = 1000
    Object.defineProperty(jit.agent, 'now', { value: () => 0 })

    await expect(jit.waitForApproval(request)).rejects.toMatchObject({ code: 'approval_timeout' })
  })

  it('ends at a 404', async () => {
    const { world, jit, request } = await waiting()
    world.on(status, () => refusal(404, 'not_found'))

    await expect(jit.waitForApproval(request)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('adds 5 seconds to the interval after slow_down, permanently', async () => {
    const { world, jit, request } = await waiting()
    world.afterPolls = 2
    world.once(status, () => refusal(429, 'slow_down'))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 10, 10])
  })

  it('adopts the interval of a slow_down if it is longer', async () => {
    const { world, jit, request } = await waiting()
    world.once(status, () => json(429, { error: 'slow_down', interval: 30 }))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 30])
  })

  it.each([429, 503])('waits once for the Retry-After of a %i', async (code) => {
    const { world, jit, request } = await waiting()
    world.afterPolls = 2
    world.once(status, () => refusal(code, 'busy', { 'retry-after': '20' }))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 20, 5])
  })

  it('never waits shorter than the interval, whatever Retry-After says', async () => {
    const { world, jit, request } = await waiting()
    world.once(status, () => refusal(429, 'busy', { 'retry-after': '1' }))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 5])
  })

  it('accepts a date in Retry-After', async () => {
    const { world, jit, request } = await waiting()
    const date = new Date((world.now() + 5 + 42) * 1000).toUTCString()
    world.once(status, () => refusal(503, 'busy', { 'retry-after': date }))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 42])
  })

  it('adopts a longer interval of a later response', async () => {
    const { world, jit, request } = await waiting()
    world.once(status, () => json(200, { ...request, interval: 8 }))

    await jit.waitForApproval(request)

    expect(world.slept).toEqual([5, 8])
  })

  it('waits at least one second, however short the interval', async () => {
    const { world, jit, request } = await waiting()

    await jit.waitForApproval(request, { interval: 0.001 })

    expect(world.slept).toEqual([1])
  })

  it('survives two transient failures in a row, and not three', async () => {
    const { world, jit, request } = await waiting()
    const unlucky = () => {
      throw networkFailure()
    }
    world.once(status, unlucky, () => refusal(502, 'bad_gateway'))
    await jit.waitForApproval(request)

    world.once(status, unlucky, unlucky, unlucky)

    await expect(jit.waitForApproval(request)).rejects.toMatchObject({ code: 'network_error' })
  })

  it('counts a timeout as a transient failure', async () => {
    const { world, jit, request } = await waiting()
    const late = () => {
      throw new DeadlineExceededError('GET /', 30)
    }
    world.once(status, late)

    await expect(jit.waitForApproval(request)).resolves.toMatchObject({ status: 'approved' })
  })

  it('resets the count of failures after a success', async () => {
    const { world, jit, request } = await waiting()
    const unlucky = () => refusal(504, 'gateway_timeout')
    world.once(status, unlucky, unlucky, () => json(200, request), unlucky, unlucky)

    await expect(jit.waitForApproval(request)).resolves.toMatchObject({ status: 'approved' })
  })
})

describe('the system clock', () => {
  it('returns seconds', () => {
    expect(Math.abs(systemNow() - Date.now() / 1000)).toBeLessThan(60)
  })
})

describe('the system sleep', () => {
  afterEach(() => vi.useRealTimers())

  it('lasts as long as requested', async () => {
    vi.useFakeTimers()
    let awake = false

    const asleep = systemSleep(5).then(() => {
      awake = true
    })
    await vi.advanceTimersByTimeAsync(4999)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)

    await asleep
  })

  it('ends at once when it is aborted, and leaves no timer', async () => {
    vi.useFakeTimers()
    const abort = new AbortController()

    const asleep = systemSleep(5, abort.signal)
    abort.abort(new Error('changed my mind'))

    await expect(asleep).rejects.toThrow('changed my mind')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('isTransient', () => {
  it.each<[unknown, boolean]>([
    [new DeadlineExceededError('GET /', 1), true],
    [new NetworkError('no'), true],
    [new ApiError('GET /', { status: 502 }), true],
    [new ApiError('GET /', { status: 503 }), true],
    [new ApiError('GET /', { status: 504 }), true],
    [new ApiError('GET /', { status: 500 }), false],
    [new ConfigError('no'), false],
    [new Error('no'), false],
  ])('%s: %s', (error, expected) => {
    expect(isTransient(error)).toBe(expected)
  })
})

describe('Retry-After', () => {
  const noon = Date.UTC(2026, 10, 6, 12) / 1000

  it.each([
    ['0', 0],
    ['120', 120],
    [' 7 ', 7],
    ['Fri, 06 Nov 2026 12:00:30 GMT', 30],
    ['Friday, 06-Nov-26 12:00:30 GMT', 30],
    ['Fri Nov  6 12:00:30 2026', 30],
    ['Fri, 06 Nov 2026 11:59:00 GMT', 0],
    ['Fri, 06 Nov 2026 12:00:30', 30],
  ])('%j means %i seconds', (value, seconds) => {
    expect(secondsToWait(value, noon)).toBe(seconds)
  })

  it.each([
    null,
    '',
    '-5',
    '1.5',
    '1e9',
    'soon',
    'Fri, 99 Nov',
    'on Fri, 06 Nov 2026 12:00:30 GMT',
    '9'.repeat(400),
  ])('%j is ignored', (value) => {
    expect(secondsToWait(value, noon)).toBeUndefined()
  })

  it('never means a negative or infinite time', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const seconds = secondsToWait(value, noon) ?? 0
        expect(seconds).toBeGreaterThanOrEqual(0)
        expect(seconds).toBeLessThan(Number.POSITIVE_INFINITY)
      }),
    )
  })
})
