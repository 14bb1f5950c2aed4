import { parseArgs } from 'node:util'
import type { Algorithm } from '../signing/keys.ts'
import { UsageError } from '../usage-error.ts'
import { didYouMean } from '../wire/closest.ts'
import { signingAlgorithms } from '../wire/token.ts'
import type { ConfigurationOptions } from './configuration.ts'
import type { LogStyle } from './log-style.ts'

export const usage = `lumoauth-harness start: a simulated LumoAuth issuer and a protected API, until Ctrl-C

Usage: lumoauth-harness start [OPTIONS]

  --port N            port of the issuer, 0 for any free one (default 4400)
  --api-port N        port of the documents API, 0 for any free one (default 4401)
  --host ADDRESS      where to listen (default 127.0.0.1, this machine only)
  --issuer-origin URL what others reach the issuer by, where that is not HOST:PORT
  --api-origin URL    the same for the API
  --config FILE       a tenant, or tenants: [...], in YAML or JSON; read again when it changes
  --policy FILE       the policy of every tenant; read again when it changes
  --model FILE        what the scripted model of every tenant says; read again when it changes
  --approve HOW       who answers when the policy asks a person: auto approves, deny denies,
                      ask waits for somebody to decide (default: what the config says, else ask)
  --journal FILE      keep what happens in FILE (and keys in FILE.keys): tasks, decisions and
                      tokens survive a restart on the same ports
  --recording FILE    answer for a tenant as its real issuer did: check issuer --record wrote it
  --misbehave NAME    switch a defect on in every tenant, for good; may be repeated
  --algorithm ALG     RS256 (default), ES256, EdDSA or Ed25519
  --env SHELL         how the environment is printed: bash (default), powershell, dotenv
  --log STYLE         requests on standard error: pretty, json or off
                      (default: pretty on a terminal, else off)
  --json              print one line of JSON when ready, and nothing else on standard output
  --help              this

LUMOAUTH_HARNESS_CONTROL_TOKEN sets the token of the control plane; otherwise a fresh one is made.

Example: lumoauth-harness start --port 0 --api-port 0 --json
`

export type StartOptions = ConfigurationOptions &
  Readonly<{
    port: number
    apiPort: number
    host: string
    origins: { issuer?: string; api?: string }
    algorithm: Algorithm
    controlToken?: string
    journal?: string
    recordingFile?: string
    shell: 'bash' | 'powershell' | 'dotenv'
    log: LogStyle
    json: boolean
  }>

/**
 * What the command line says.
 * @throws {Unusable} with the one thing to put right
 */
export const readOptions = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): StartOptions | 'help' => {
  const { values } = parseOptions(args)
  if (values.help) return 'help'
  const { LUMOAUTH_HARNESS_CONTROL_TOKEN: controlToken } = env
  const [issuer, api] = [values['issuer-origin'], values['api-origin']]
  return {
    port: port('--port', values.port),
    apiPort: port('--api-port', values['api-port']),
    host: values.host,
    origins: {
      ...(issuer === undefined ? {} : { issuer: origin('--issuer-origin', issuer) }),
      ...(api === undefined ? {} : { api: origin('--api-origin', api) }),
    },
    algorithm: oneOf('--algorithm', values.algorithm, signingAlgorithms),
    ...(controlToken ? { controlToken } : {}),
    ...(values.config === undefined ? {} : { config: values.config }),
    ...(values.policy === undefined ? {} : { policy: values.policy }),
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(values.approve === undefined
      ? {}
      : { approve: oneOf('--approve', values.approve, ['auto', 'ask', 'deny']) }),
    ...(values.journal === undefined ? {} : { journal: values.journal }),
    ...(values.recording === undefined ? {} : { recordingFile: values.recording }),
    ...(values.misbehave === undefined ? {} : { misbehave: values.misbehave }),
    shell: oneOf('--env', values.env, ['bash', 'powershell', 'dotenv']),
    log: oneOf('--log', values.log ?? usualLog(), ['pretty', 'json', 'off']),
    json: values.json,
  }
}

const usualLog = (): LogStyle => (process.stderr.isTTY ? 'pretty' : 'off')

const knownOptions = {
  port: { type: 'string', default: '4400' },
  'api-port': { type: 'string', default: '4401' },
  host: { type: 'string', default: '127.0.0.1' },
  'issuer-origin': { type: 'string' },
  'api-origin': { type: 'string' },
  config: { type: 'string' },
  policy: { type: 'string' },
  model: { type: 'string' },
  approve: { type: 'string' },
  journal: { type: 'string' },
  recording: { type: 'string' },
  misbehave: { type: 'string', multiple: true },
  algorithm: { type: 'string', default: 'RS256' },
  env: { type: 'string', default: 'bash' },
  log: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const parseOptions = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: knownOptions })
  } catch (wrong) {
    const { message } = wrong as Error
    const unknown = /^Unknown option '--([^'=]+)/.exec(message)?.[1]
    if (unknown === undefined) throw new UsageError(`${message.split(/\.\s/, 1)[0]} (see --help)`)
    const meant = didYouMean(unknown, Object.keys(knownOptions)).replace('"', '"--')
    throw new UsageError(`unknown option --${unknown}${meant || ' (see --help)'}`)
  }
}

const port = (option: string, text: string): number => {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number
  throw new UsageError(`${option} ${text}: expected a port, 0 to 65535`)
}

const origin = (option: string, text: string): string => {
  if (URL.canParse(text) && /^https?:\/\/[^/]+\/?$/.test(text)) return new URL(text).origin
  throw new UsageError(`${option} ${text}: expected an origin such as http://lumoauth:4400`)
}

const oneOf = <const V extends string>(option: string, text: string, values: readonly V[]): V => {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  const hint = didYouMean(text, values)
  throw new UsageError(`${option} ${text}: expected ${values.join(', ')}${hint}`)
}

/** How a variable of the environment is set, by shell. */
export const assignments: Record<StartOptions['shell'], (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${value}`,
}
