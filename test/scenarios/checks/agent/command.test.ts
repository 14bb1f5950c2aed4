import { readFile } from 'node:fs/promises'
import { describe, expect, it, vi } from 'vitest'
import { command } from '../../../../scenarios/checks/agent/command.ts'

const run = (script: string, options: { grace?: number; limit?: number } = {}) =>
  command({
    line: ['/bin/sh', '-c', script],
    environment: {},
    limit: 60,
    signal: new AbortController().signal,
    ...options,
  }).ended

/** The state of a process, or undefined when it is gone: `Z` has ended, and waits to be collected. */
const stateOf = async (pid: string): Promise<string | undefined> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.split(' ').at(2)
}

describe.skipIf(process.platform !== 'linux')('a command', () => {
  it('ends when its own process ends; what it left behind is stopped', async () => {
    const ended = await run('sleep 300 & echo $!; exit 3', { grace: 0.05 })

    expect(ended).toMatchObject({ code: 3, late: false, leftBehind: true })
    await vi.waitFor(async () =>
      expect([undefined, 'Z']).toContain(await stateOf(ended.output.trim())),
    )
  })

  it('ends when a process of another group holds its output', async () => {
    const ended = await run('setsid sleep 5 & echo started; exit 0', { grace: 0.05 })

    expect(ended).toMatchObject({ code: 0, late: false, leftBehind: true, output: 'started\n' })
  })

  it('keeps the output of what outlives it for less than the grace', async () => {
    const ended = await run('(sleep 0.1; echo later) & echo sooner', { grace: 30 })

    expect(ended).toMatchObject({ code: 0, leftBehind: false, output: 'sooner\nlater\n' })
  })

  it('without a grace waits for all that it started', async () => {
    const ended = await run('(sleep 0.1; echo later) & echo sooner')

    expect(ended).toMatchObject({ code: 0, leftBehind: false, output: 'sooner\nlater\n' })
  })

  it('is stopped at its limit, with all that it started', async () => {
    const ended = await run('sleep 300 & sleep 300', { limit: 0.1, grace: 0.05 })

    expect(ended).toMatchObject({ signal: 'SIGTERM', late: true })
  })
})
