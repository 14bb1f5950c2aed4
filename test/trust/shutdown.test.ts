import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { freePorts } from '../support/free-ports.ts'
import { asked, started, Witness } from './crashing.ts'
import { randomFrom, size } from './sizes.ts'

const rounds = size('SHUTDOWN_ROUNDS', 5, 50)

it('SIGTERM under load: accepted requests are answered and kept, and the exit code is 0 within 5 s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shutdown-'))
  const config = join(folder, 'acme.yaml')
  writeFileSync(config, 'tenant: acme\nclock: 2026-01-01T00:00:00Z\n')
  const [port, apiPort] = await freePorts()
  const args = ['--port', `${port}`, '--api-port', `${apiPort}`, '--config', config]
  args.push('--journal', join(folder, 'journal.jsonl'))
  const options = { env: { ...process.env, LUMOAUTH_HARNESS_CONTROL_TOKEN: 'the-control-token' } }
  const random = randomFrom(rounds)
  let witness: Witness | undefined
  let slowest = 0

  for (let round = 0; round < rounds; round += 1) {
    const { running, ready } = await started(args, options)
    await using _ = running
    witness ??= await newWitness(ready, random)
    expect(await witness.complaints()).toEqual([])
    const working = [0, 1, 2, 3].map((worker) => witness?.work(worker))
    // A long poll must not delay the shutdown, nor idle connections.
    const url = `${ready.issuer}/_harness/tenants/acme/journal?type=key.rotated&wait=30`
    const waiting = asked(url, { token: 'the-control-token' })
    await pause(100 + random() * 200)
    const start = performance.now()

    running.signal('SIGTERM')

    expect(await running.ends()).toBe(0)
    const took = performance.now() - start
    slowest = Math.max(slowest, took)
    expect(took).toBeLessThan(5000)
    expect(running.stderr.replaceAll(/^acme: .* waits for a person .*\n/gm, '')).toBe('')
    await Promise.all(working)
    expect(await waiting).toMatchObject({ status: 200 })
    expect(await asked(`${ready.issuer}/healthz`)).toBeUndefined()
  }

  figure('SIGTERM under load', {
    rounds,
    'exit code': 0,
    'slowest in ms': Math.round(slowest),
    'facts kept': witness?.told,
  })
  rmSync(folder, { recursive: true })
})

const newWitness = async (...[ready, random]: ConstructorParameters<typeof Witness>) => {
  const witness = new Witness(ready, random)
  await witness.signIn()
  return witness
}
