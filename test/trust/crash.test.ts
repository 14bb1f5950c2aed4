import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalFile } from '../../server/journal/file.ts'
import { figure } from '../support/figure.ts'
import { freePorts } from '../support/free-ports.ts'
import { lumoauthHarness, Running, root } from '../support/running.ts'
import { started, Witness, witnessed } from './crashing.ts'
import { randomFrom, size } from './sizes.ts'

const rounds = size('CRASH_ROUNDS', 40, 200)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

const appending = `${root}/test/trust/appending.ts`

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crash-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Most of the time it has not even printed its ready line. */
const killedEarly = async (args: readonly string[], milliseconds: number) => {
  await using running = lumoauthHarness(['start', '--json', '--algorithm', 'ES256', ...args])
  await pause(milliseconds)
  running.signal('SIGKILL')
}

describe('killed at any moment', () => {
  it('start --journal loses nothing it has acknowledged', async () => {
    const random = randomFrom(seed)
    const [port, apiPort] = await freePorts()
    const config = join(folder, 'acme.yaml')
    const journal = join(folder, 'journal.jsonl')
    writeFileSync(config, witnessed)
    const options = ['--port', `${port}`, '--api-port', `${apiPort}`, '--config', config]
    const again = () =>
      started([...options, '--journal', journal], {
        env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: 'the-control-token' },
      })
    let witness: Witness | undefined
    let torn = 0
    let largest = 0

    for (let round = 0; round < rounds; round += 1) {
      if (round % 5 === 4) await killedEarly([...options, '--journal', journal], random() * 600)
      const { running, ready } = await again()
      await using _ = running
      if (running.stderr.includes('cut off')) torn += 1
      if (witness === undefined) {
        witness = new Witness(ready, random)
        await witness.signIn()
      }
      // Later rounds check some of the older facts; the last round checks all.
      const complaints = await witness.complaints(Math.min(1, 300 / witness.told))
      expect(complaints, `seed ${seed}, round ${round}`).toEqual([])
      const working = [0, 1, 2, 3].map((worker) => witness?.work(worker))
      await pause(5 + random() * 500)
      running.signal('SIGKILL')
      await Promise.all(working)
      largest = Math.max(largest, statSync(journal).size)
    }

    const { running } = await again()
    await using _ = running
    expect(await witness?.complaints(), `seed ${seed}`).toEqual([])
    figure('killed by SIGKILL under load', {
      rounds,
      'facts checked at the end': witness?.told,
      lost: 0,
      'torn lines dropped': torn,
      'largest journal in KiB': Math.round(largest / 1024),
      lines: readFileSync(journal, 'utf8').split('\n').length,
      seed,
    })
  })

  it('a journal that is being compacted loses nothing it has acknowledged', async () => {
    const random = randomFrom(seed)
    const journal = join(folder, 'journal.jsonl')
    let [acknowledged, whileCompacting] = [0, 0]

    for (let round = 0; round < rounds; round += 1) {
      await using running = new Running(process.execPath, [appending, journal])
      await running.prints('stdout', /\n/)
      await pause(random() * 200)
      running.signal('SIGKILL')
      await running.ends()
      acknowledged = Number(running.stdout.split('\n').at(-2))
      if (readdirSync(folder).some((name) => name.endsWith('.new'))) whileCompacting += 1
      const file = await JournalFile.open(journal)
      const past = file.take('acme')
      const [change] = [...(past?.changes.values() ?? [])]
      await file.close()

      const kept = change !== undefined && 'document' in change ? change.document.version : 0
      expect(past?.history.last, `seed ${seed}, round ${round}`).toBeGreaterThanOrEqual(
        acknowledged,
      )
      expect(kept, `seed ${seed}, round ${round}`).toBeGreaterThanOrEqual(acknowledged)
      expect(statSync(journal).size).toBeLessThan(20_000)
    }

    figure('killed by SIGKILL while compacting', {
      rounds,
      'killed beside a half-written file': whileCompacting,
      'entries acknowledged': acknowledged,
      lost: 0,
      seed,
    })
  })
})
