import { globSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiTarget } from '../interop/apis/target.ts'
import { issuerElsewhere } from '../interop/issuer.ts'
import { figure } from '../support/figure.ts'
import { freePorts } from '../support/free-ports.ts'
import { messageTexts } from '../support/message-texts.ts'
import { Running, root } from '../support/running.ts'

const hook = pathToFileURL(join(root, 'test/support/alter-messages.ts')).href
const full = process.env.FULL !== undefined
/** A sample of the misbehaviours: a part of their names; FULL=1 takes all. */
const sabotaged = full ? [] : ['issuer-exchanges']

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messages-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type How = Readonly<{
  altered: boolean
  planted?: string
  prefix?: string
  env?: Readonly<Record<string, string>>
}>

/** Runs a command of the sources, with all messages altered or unchanged. @returns its exit code */
const runCommand = async (
  args: readonly string[],
  { altered, planted, prefix, env: more }: How,
): Promise<{ code: number | null; stderr: string }> => {
  const env = {
    ...process.env,
    ...more,
    ...(altered ? { ALTERED_TEXTS: join(folder, 'altered') } : {}),
    ...(prefix === undefined ? {} : { MESSAGE_PREFIX: prefix }),
    ...(planted === undefined ? {} : { PLANTED: planted }),
  }
  await using command = new Running(
    process.execPath,
    [...(altered ? ['--import', hook] : []), ...args],
    { env },
  )
  return { code: await command.ends(), stderr: command.stderr }
}

/** The exit code of a command, and the verdict on each scenario or rule in the report it writes. */
const verdictsOf = async (args: readonly string[], format: string, how: How) => {
  const file = join(folder, `${args[0]}-${args[1]}-${how.altered}.report`)
  const option = format === 'csv' ? ['--matrix', file] : ['--report', `${format}=${file}`]
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const line = ['scenarios/cli.ts', ...args.slice(0, end), ...option, ...args.slice(end)]
  const { code, stderr } = await runCommand(line, how)
  if (code === 2) throw new Error(stderr)
  const text = await readFile(file, 'utf8')
  return { code, verdicts: format === 'csv' ? noticedIn(text) : verdictsIn(JSON.parse(text)) }
}

/** Whether each misbehaviour was noticed. Which scenarios ran until then depends on the load. */
const noticedIn = (csv: string): string[] =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => `${row.split(',', 1)[0]}: ${/,noticed(,|$)/.test(row)}`)

/** Every object with a verdict, as its title or rule and the verdict. */
const verdictsIn = (value: unknown): string[] => {
  if (value === null || typeof value !== 'object') return []
  const { title, rule, verdict } = value as Record<string, unknown>
  const own = verdict === undefined ? [] : [`${title ?? rule}: ${verdict}`]
  return [...own, ...Object.values(value).flatMap(verdictsIn)].sort()
}

const commands: readonly (readonly [name: string, format: string, args: readonly string[]])[] = [
  ['run', 'json', ['run', '--host', 'fetch']],
  ['sabotage', 'csv', ['sabotage', ...sabotaged]],
  [
    'check agent',
    'statement-json',
    [
      'check',
      'agent',
      '--only',
      'denied',
      '--',
      process.execPath,
      'test/interop/agents/careless.ts',
    ],
  ],
]

describe('altered messages', () => {
  it('reach every text in the syntax trees', async () => {
    const files = globSync('{server,client,scenarios}/**/*.ts', { cwd: root })
      .filter((file) => !file.startsWith('client/examples/') && file !== 'scenarios/cli.ts')
      .sort()
    const held = files.flatMap((file) =>
      messageTexts(readFileSync(join(root, file), 'utf8')).map(({ at }) => `${file}:${at}`),
    )
    const loader = join(folder, 'load-all.mjs')
    const urls = files.map((file) => pathToFileURL(join(root, file)).href)
    // The fixtures of Vitest load, but do not run, outside of it.
    const load = `for (const it of ${JSON.stringify(urls)}) await import(it).catch(() => {})\n`
    await writeFile(loader, load)

    await runCommand([loader], { altered: true })

    const lines = (await readFile(join(folder, 'altered'), 'utf8')).trim().split('\n')
    const altered = new Set(lines.map((it) => JSON.parse(it)))
    figure('altered messages', { held: held.length, altered: altered.size })
    expect([...altered].sort()).toEqual([...held].sort())
    expect(held.length).toBeGreaterThan(500)
  })

  it.each(commands)('change no verdict of %s', async (_, format, args) => {
    const [usual, altered] = await Promise.all([
      verdictsOf(args, format, { altered: false }),
      verdictsOf(args, format, { altered: true }),
    ])

    expect(altered).toEqual(usual)
    expect(usual.verdicts.length).toBeGreaterThan(3)
  })

  it('change no verdict of check issuer', async () => {
    await using issuer = await issuerElsewhere()
    const target = join(folder, 'issuer.yaml')
    await writeFile(target, issuer.target)
    const args = ['check', 'issuer', '--target', target, '--allow-writes', '--only', 'denied']

    const usual = await verdictsOf(args, 'statement-json', { altered: false, env: issuer.env })
    const altered = await verdictsOf(args, 'statement-json', { altered: true, env: issuer.env })

    expect(altered).toEqual(usual)
    expect(usual.verdicts.length).toBeGreaterThan(3)
  })

  it('change no verdict of check api', async () => {
    const [port] = await freePorts(1)
    const target = join(folder, 'api.yaml')
    await writeFile(target, apiTarget(port))
    const command = `exec '${process.execPath}' '${join(root, 'test/interop/apis/express-api.ts')}'`
    const args = ['check', 'api', '--target', target, '--api-command', command]

    const usual = await verdictsOf(args, 'statement-json', { altered: false })
    const altered = await verdictsOf(args, 'statement-json', { altered: true })

    expect(altered).toEqual(usual)
    expect(usual.verdicts.length).toBeGreaterThan(20)
  })

  it('change verdicts if code compares a text', async () => {
    const planted =
      'if (thrown instanceof Refused) return=>' +
      "if (thrown instanceof Refused && /^[^A-Z]/.test('reason' in thrown.refusal ? String(thrown.refusal.reason) : '-')) return"
    const args = ['run', 'oauth', '--host', 'fetch']

    const usual = await verdictsOf(args, 'json', { altered: true, planted, prefix: '' })
    const altered = await verdictsOf(args, 'json', { altered: true, planted })

    expect(usual.code).toBe(0)
    expect(altered.code).toBe(1)
  })
})
