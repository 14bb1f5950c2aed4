import { parseArgs } from 'node:util'
import { configuration } from './configuration.ts'
import { createHarness, type Harness, type HarnessOptions } from './harness.ts'
import { type LogStyle, logTo } from './log-style.ts'
import { reloading } from './reload.ts'
import type { TestTenant } from './test-tenant.ts'
import { Unusable } from './unusable.ts'
import { didYouMean } from './wire/closest.ts'

export const usage = `lumoauth-harness start: a simulated LumoAuth issuer and a protected API, until Ctrl-C

Usage: lumoauth-harness start [OPTIONS]

  --port N            port of the issuer, 0 for any free one (default 4400)
  --api-port N        port of the documents API, 0 for any free one (default 4401)
  --host ADDRESS      where to listen (default 127.0.0.1, this machine only)
  --issuer-origin URL what others reach the issuer by, where that is not HOST:PORT
  --api-origin URL    the same for the API
  --config FILE       a tenant, or tenants: [...], in YAML or JSON; read again when it changes
  --policy FILE       the policy of every tenant; read again when it changes
  --approve HOW       who answers when the policy asks a person: auto approves, deny denies,
                      ask waits for somebody to decide (default: what the config says, else ask)
  --misbehave NAME    switch a defect on, for good; may be repeated
  --algorithm ALG     RS256 (default), ES256 or EdDSA
  --env SHELL         how the environment is printed: bash (default), powershell, dotenv
  --log STYLE         requests on standard error: pretty, json or off
                      (default: pretty on a terminal, else off)
  --json              print one line of JSON when ready, and nothing else on standard output
  --help              this

LUMOAUTH_HARNESS_CONTROL_TOKEN sets the token of the control plane; otherwise a fresh one is made.

Example: lumoauth-harness start --port 0 --api-port 0 --json
`

/**
 * Options in, listening servers and a printed environment out.
 * @returns the exit code: 0 after SIGINT or SIGTERM, 2 when it could not start
 */
export const start = async (args: readonly string[]): Promise<number> => {
  try {
    const options = read(args)
    if (options === 'help') {
      process.stdout.write(usage)
      return 0
    }
    const log = logTo(process.stderr, options.log)
    const seeds = configuration(options)
    await using harness = await open(options, { ...log.hears, tenants: seeds })
    for (const name of options.misbehave) await misbehave(harness, name)
    const stopped = signalled()
    using _watch = reloading(harness, seeds, options, log.say)
    const [tenant] = harness.tenants as [TestTenant, ...TestTenant[]]
    const approverToken = mayAnybodyApprove(tenant) ? await tenant.approver.token() : ''
    process.stdout.write(
      options.json
        ? `${JSON.stringify(summary(harness, tenant, approverToken))}\n`
        : greeting(harness, tenant, approverToken, options.shell),
    )
    await stopped
    return 0
  } catch (failed) {
    if (!(failed instanceof Unusable)) throw failed
    process.stderr.write(`lumoauth-harness start: ${failed.message}\n`)
    return 2
  }
}

type Options = Readonly<{
  port: number
  apiPort: number
  host: string
  origins: { issuer?: string; api?: string }
  algorithm: 'RS256' | 'ES256' | 'EdDSA'
  controlToken?: string
  config?: string
  policy?: string
  approve?: 'auto' | 'ask' | 'deny'
  misbehave: readonly string[]
  shell: 'bash' | 'powershell' | 'dotenv'
  log: LogStyle
  json: boolean
}>

const read = (args: readonly string[]): Options | 'help' => {
  const { values } = parsed(args)
  if (values.help) return 'help'
  const { LUMOAUTH_HARNESS_CONTROL_TOKEN: controlToken } = process.env
  const [issuer, api] = [values['issuer-origin'], values['api-origin']]
  return {
    port: port('--port', values.port),
    apiPort: port('--api-port', values['api-port']),
    host: values.host,
    origins: {
      ...(issuer === undefined ? {} : { issuer: origin('--issuer-origin', issuer) }),
      ...(api === undefined ? {} : { api: origin('--api-origin', api) }),
    },
    algorithm: oneOf('--algorithm', values.algorithm, ['RS256', 'ES256', 'EdDSA']),
    ...(controlToken ? { controlToken } : {}),
    ...(values.config === undefined ? {} : { config: values.config }),
    ...(values.policy === undefined ? {} : { policy: values.policy }),
    ...(values.approve === undefined
      ? {}
      : { approve: oneOf('--approve', values.approve, ['auto', 'ask', 'deny']) }),
    misbehave: values.misbehave ?? [],
    shell: oneOf('--env', values.env, ['bash', 'powershell', 'dotenv']),
    log: oneOf('--log', values.log ?? usualLog(), ['pretty', 'json', 'off']),
    json: values.json,
  }
}

const usualLog = (): LogStyle => (process.stderr.isTTY ? 'pretty' : 'off')

const known = {
  port: { type: 'string', default: '4400' },
  'api-port': { type: 'string', default: '4401' },
  host: { type: 'string', default: '127.0.0.1' },
  'issuer-origin': { type: 'string' },
  'api-origin': { type: 'string' },
  config: { type: 'string' },
  policy: { type: 'string' },
  approve: { type: 'string' },
  misbehave: { type: 'string', multiple: true },
  algorithm: { type: 'string', default: 'RS256' },
  env: { type: 'string', default: 'bash' },
  log: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: known })
  } catch (wrong) {
    const { message } = wrong as Error
    const unknown = /^Unknown option '--([^'=]+)/.exec(message)?.[1]
    if (unknown === undefined) throw new Unusable(`${message.split('. ', 1)[0]} (see --help)`)
    const meant = didYouMean(unknown, Object.keys(known)).replace('"', '"--')
    throw new Unusable(`unknown option --${unknown}${meant || ' (see --help)'}`)
  }
}

const port = (option: string, text: string): number => {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number
  throw new Unusable(`${option} ${text}: expected a port, 0 to 65535`)
}

const origin = (option: string, text: string): string => {
  if (URL.canParse(text) && /^https?:\/\/[^/]+\/?$/.test(text)) return new URL(text).origin
  throw new Unusable(`${option} ${text}: expected an origin such as http://lumoauth:4400`)
}

const oneOf = <const V extends string>(option: string, text: string, values: readonly V[]): V => {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  const hint = didYouMean(text, values)
  throw new Unusable(`${option} ${text}: expected ${values.join(', ')}${hint}`)
}

const open = async (options: Options, more: HarnessOptions): Promise<Harness> => {
  const { log: _, ...others } = options
  try {
    return await createHarness({ ...others, ...more, listen: true })
  } catch (failed) {
    const {
      code,
      port: at,
      address,
    } = failed as NodeJS.ErrnoException & {
      port?: number
      address?: string
    }
    const where = `${address ?? options.host}:${at ?? options.port}`
    const reasons: Record<string, string> = {
      EADDRINUSE: `port ${at} is taken; stop what listens on ${where}, or use --port 0 --api-port 0`,
      EACCES: `port ${at} needs more rights than this user has; use a port above 1023`,
      EADDRNOTAVAIL: `${options.host} is no address of this machine`,
      ENOTFOUND: `${options.host} is no address of this machine`,
    }
    throw code !== undefined && reasons[code] !== undefined ? new Unusable(reasons[code]) : failed
  }
}

const misbehave = async (harness: Harness, name: string): Promise<void> => {
  try {
    for (const tenant of harness.tenants) await tenant.misbehave(name)
  } catch (wrong) {
    throw new Unusable(`--misbehave: ${(wrong as Error).message}`)
  }
}

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })

const mayAnybodyApprove = ({ users }: TestTenant) =>
  users.some(({ permissions }) => permissions.includes('jit.approve'))

const summary = (harness: Harness, { tenant, agents }: TestTenant, approverToken: string) => ({
  issuer: harness.issuer,
  api: harness.api,
  tenant,
  client_id: agents[0]?.client_id,
  client_secret: agents[0]?.client_secret,
  control_token: harness.controlToken,
  approver_token: approverToken,
})

const greeting = (
  harness: Harness,
  tenant: TestTenant,
  approverToken: string,
  shell: Options['shell'],
) => `lumoauth-harness is up. Paste this where your agent runs:

${Object.entries(tenant.environment)
  .map(([name, value]) => assignments[shell](name, value))
  .join('\n')}

issuer         ${harness.issuer}
documents API  ${harness.api}
tenant         ${harness.tenants.map((it) => it.tenant).join(', ')}
control token  ${harness.controlToken}
approver token ${approverToken || '(no user may approve)'}

Ctrl-C ends it.
`

const assignments: Record<Options['shell'], (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${value}`,
}
