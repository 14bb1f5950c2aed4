import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addChecksum } from '../../server/journal/line.ts'
import { freePorts } from '../support/free-ports.ts'
import { lumoauthHarness, Running, root } from '../support/running.ts'
import { asked, started, Witness } from './crashing.ts'
import { randomFrom } from './sizes.ts'

let folder: string
let journal: string
let args: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'))
  journal = join(folder, 'journal.jsonl')
  const config = join(folder, 'acme.yaml')
  writeFileSync(config, 'tenant: acme\nclock: 2026-01-01T00:00:00Z\n')
  const [port, apiPort] = await freePorts()
  args = ['--port', `${port}`, '--api-port', `${apiPort}`, '--config', config]
  args.push('--journal', journal)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** `start` in a shell that has set its limits before. */
const limited = (before: string) =>
  new Running('bash', [
    '-c',
    `${before}; exec "$@"`,
    'bash',
    process.execPath,
    `${root}/scenarios/cli.ts`,
    'start',
    '--json',
    '--algorithm',
    'ES256',
    ...args,
  ])

const refused = async (running: Running): Promise<string> => {
  await using it = running
  expect(await it.ends()).toBe(2)
  expect(it.stdout).toBe('')
  expect(it.stderr.trim().split('\n')).toHaveLength(1)
  return it.stderr
}

describe('a full disk', () => {
  it('while running: answers 503 to everything, logs one line, and loses nothing acknowledged', async () => {
    await using running = limited('ulimit -f 64')
    const ready = JSON.parse((await running.prints('stdout', /^.*\n/))[0])
    const witness = new Witness(ready, randomFrom(1))
    await witness.signIn()

    await expect(witness.work(0)).rejects.toThrow('503')

    const { tenant, issuer, control_token: token } = ready
    const post = await asked(`${issuer}/t/${tenant}/api/v1/jit/task`, {
      method: 'POST',
      token: witness.agent,
      body: {},
    })
    expect(post).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(await asked(`${issuer}/_harness/tenants`, { token })).toMatchObject({ status: 503 })
    const warnings = running.stderr.replaceAll(/^acme: .* waits for a person .*\n/gm, '')
    expect(warnings).toMatch(
      /^the journal .* cannot be written: EFBIG; no further changes are accepted.*\n$/,
    )
    running.signal('SIGTERM')
    expect(await running.ends()).toBe(2)

    const { running: again } = await started(args)
    await using _ = again
    expect(again.stderr).toContain('dropped a last line that was cut off')
    expect(await witness.complaints()).toEqual([])
  })

  it('at start: exits with code 2 and one line', async () => {
    expect(await refused(limited('ulimit -f 0'))).toMatch(/cannot be written: EFBIG/)
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([])
  })
})

describe('start --journal exits with code 2 and one line for', () => {
  it('a file that another process has open', async () => {
    const { running } = await started(args)
    await using _ = running
    const other = args.map((it, at) => (args[at - 1]?.endsWith('port') ? '0' : it))

    const stderr = await refused(lumoauthHarness(['start', ...other]))

    expect(stderr).toMatch(/the journal .* is in use by process \d+/)
  })

  it('a corrupt file, and leaves it unchanged', async () => {
    const { running } = await started(args)
    running.signal('SIGTERM')
    expect(await running.ends()).toBe(0)
    const text = readFileSync(journal, 'utf8')
    writeFileSync(journal, text.replace('read:documents', 'read:everything'))
    const before = readFileSync(journal, 'utf8')

    const stderr = await refused(lumoauthHarness(['start', ...args]))

    expect(stderr).toMatch(/journal\.jsonl:\d+: expected a line/)
    expect(readFileSync(journal, 'utf8')).toBe(before)
  })

  it('a file of a newer format, and leaves it unchanged', async () => {
    const text = addChecksum({ format: 3 })
    writeFileSync(journal, text)

    const stderr = await refused(lumoauthHarness(['start', ...args]))

    expect(stderr).toMatch(/format 3 is newer than this program/)
    expect(readFileSync(journal, 'utf8')).toBe(text)
  })

  it.skipIf(process.getuid?.() !== 0)('a read-only file', async () => {
    const { running } = await started(args)
    running.signal('SIGTERM')
    await running.ends()
    for (const file of [journal, `${journal}.keys`]) chmodSync(file, 0o444)
    chmodSync(folder, 0o777)
    const asNobody = ['--reuid=65534', '--clear-groups', process.execPath]
    const cli = `${root}/scenarios/cli.ts`

    const stderr = await refused(new Running('setpriv', [...asNobody, cli, 'start', ...args]))

    expect(stderr).toMatch(/cannot be written: EACCES/)
  })
})

it('start drops an incomplete last line, and says so', async () => {
  const { running, ready } = await started(args)
  const witness = new Witness(ready, randomFrom(2))
  await witness.signIn()
  running.signal('SIGKILL')
  await running.ends()
  appendFileSync(journal, '{"sum":"00000000","tenant":"acme","entry":{"se')

  const { running: again } = await started(args)
  await using _ = again

  await again.prints('stderr', /journal\.jsonl:\d+: dropped a last line that was cut off\n/)
  expect(await witness.complaints()).toEqual([])
})

it('a file cut off anywhere keeps all complete lines', async () => {
  const { running } = await started(args)
  running.signal('SIGTERM')
  await running.ends()
  const whole = readFileSync(journal)
  const random = randomFrom(3)
  for (let round = 0; round < 5; round += 1) {
    writeFileSync(journal, whole)
    const firstLine = whole.indexOf('\n') + 1
    truncateSync(journal, firstLine + Math.floor(random() * (whole.length - firstLine)))

    const { running: again } = await started(args)
    again.signal('SIGTERM')

    expect(await again.ends()).toBe(0)
  }
})
