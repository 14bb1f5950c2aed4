import { existsSync } from 'node:fs'
import { apiEnvironment } from '../harness/api-environment.ts'
import {
  createHarness,
  type Harness,
  type HarnessOptions,
  shortestControlToken,
} from '../harness/harness.ts'
import type { ClientSecrets } from '../harness/seeds.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import { findRecordedTenant } from '../http/replay.ts'
import { JournalError } from '../journal/error.ts'
import { isPostgresUrl } from '../journal/open-store.ts'
import type { Algorithm } from '../signing/keys.ts'
import { UsageError } from '../usage-error.ts'
import { modelEnvironment, Recording } from '../wire/index.ts'
import { announceRequests } from './announce-requests.ts'
import { type ConfigurationOptions, configuration, everyTenant, readFile } from './configuration.ts'
import { assignments, requireOwnDotenv, type Shell, writeDotenv } from './environment.ts'
import { type LogStyle, logTo } from './log-style.ts'
import { watchConfiguration } from './reload.ts'
import { usualConfig } from './usual-config.ts'

/** The options of `lumoauth-harness start`. */
export type StartOptions = ConfigurationOptions &
  Readonly<{
    /** Ports of the issuer and the API; 0 for any free port. */
    port: number
    apiPort: number
    host: string
    /** Origins under which clients reach the issuer and the API. */
    issuerOrigin?: string
    apiOrigin?: string
    /** Further host names under which clients reach the harness. */
    allowHost?: readonly string[]
    /** Whether `X-Forwarded-*` fields are trusted. */
    trustProxy?: boolean
    algorithm: Algorithm
    journal?: string
    /** Origins at which other processes of a shared journal reach the issuer and the API. */
    reachedAt?: string
    apiReachedAt?: string
    /** A file with the recorded answers of a real issuer. */
    recording?: string
    /** How client secrets are generated. Default: fixed on this machine, fresh beyond it. */
    secrets?: ClientSecrets
    /** The shell for the printed environment. */
    env: Shell
    /** A dotenv file to write the environment to. */
    dotenv?: string
    log: LogStyle
    json: boolean
  }>

/**
 * Starts the servers, prints the environment, and waits for a signal.
 * @returns the exit code 0, after SIGINT or SIGTERM
 * @throws {UsageError} when the start failed
 */
export const start = async (options: StartOptions): Promise<number> => {
  if (options.dotenv !== undefined) requireOwnDotenv(options.dotenv)
  const secrets = clientSecretsOf(options)
  const recording =
    options.recording === undefined ? undefined : readFile(options.recording, Recording)
  const firstTenant = recording && findRecordedTenant(recording)
  const config = options.config ?? findConfig()
  const configured = {
    ...options,
    ...(config !== undefined && { config }),
    ...(firstTenant && { firstTenant }),
  }
  const log = logTo(process.stderr, options.log)
  const seeds = await configuration(configured)
  let every = await everyTenant(configured)
  let up: Harness | undefined
  const announce = announceRequests(
    () => up,
    (message) => log.say('info', message),
  )
  await using harness = await open(options, {
    ...log.hears,
    log: (line) => {
      log.hears.log?.(line)
      announce(line)
    },
    onWarning: (message) => log.say('error', message),
    tenants: seeds,
    everyTenant: () => every,
    clientSecrets: secrets,
    ...(recording && { recording }),
  })
  up = harness
  const stopped = waitForSignal()
  // With a shared store, each process must not apply its own copy of the file.
  const isShared = isPostgresUrl(options.journal ?? '')
  using _watch = isShared
    ? undefined
    : watchConfiguration(harness, seeds, configured, log.say, (now) => {
        every = now
      })
  const [tenant] = harness.tenants as [TestTenant, ...TestTenant[]]
  const environment = environmentOf(harness, tenant)
  if (options.dotenv !== undefined) {
    writeDotenv(options.dotenv, {
      ...environment.agent,
      ...environment.api,
      ...environment.model,
    })
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...(await summary(harness, tenant)), environment })}\n`
      : await createGreeting(harness, tenant, environment, { ...configured, secrets }),
  )
  await stopped
  return 0
}

const open = async (options: StartOptions, more: HarnessOptions): Promise<Harness> => {
  const { port, apiPort, host, issuerOrigin, apiOrigin, algorithm, journal } = options
  const { allowHost: allowHosts = [], trustProxy = false, reachedAt, apiReachedAt } = options
  const isReached = reachedAt !== undefined || apiReachedAt !== undefined
  if (isReached && !isPostgresUrl(journal ?? '')) {
    throw new UsageError(
      `${reachedAt === undefined ? '--api-reached-at' : '--reached-at'}: expected --journal postgres://…, because only processes that share a journal reach one another`,
    )
  }
  const { LUMOAUTH_HARNESS_CONTROL_TOKEN: controlToken } = process.env
  if (controlToken && controlToken.length < shortestControlToken) {
    throw new UsageError(
      `LUMOAUTH_HARNESS_CONTROL_TOKEN: expected at least ${shortestControlToken} characters, received ${controlToken.length}; unset it to generate one`,
    )
  }
  try {
    return await createHarness({
      ...{ port, apiPort, host, algorithm, allowHosts, trustProxy, ...more, listen: true },
      origins: {
        ...(issuerOrigin === undefined ? {} : { issuer: issuerOrigin }),
        ...(apiOrigin === undefined ? {} : { api: apiOrigin }),
      },
      ...(controlToken ? { controlToken } : {}),
      ...(journal === undefined ? {} : { journal }),
      ...(isReached && {
        reachedAt: {
          ...(reachedAt === undefined ? {} : { issuer: reachedAt }),
          ...(apiReachedAt === undefined ? {} : { api: apiReachedAt }),
        },
      }),
    })
  } catch (failed) {
    if (failed instanceof JournalError) throw new UsageError(failed.message)
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
      EADDRINUSE: `port ${at} is in use; stop the process that listens on ${where}, or use --port 0 --api-port 0`,
      EACCES: `port ${at} needs privileges that this user lacks; use a port above 1023`,
      EADDRNOTAVAIL: `${options.host} is not an address of this machine`,
      ENOTFOUND: `${options.host} is not an address of this machine`,
    }
    throw code !== undefined && reasons[code] !== undefined ? new UsageError(reasons[code]) : failed
  }
}

/**
 * Resolves at SIGINT or SIGTERM. The shell between `npm start` and this process does not pass on the
 * signal that stops npm; when that shell has ended, this process stops as well.
 */
const waitForSignal = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
    if (process.env.npm_lifecycle_event === undefined) return
    const { ppid } = process
    const watch = setInterval(() => {
      if (process.ppid === ppid) return
      clearInterval(watch)
      resolve()
    }, 250)
    watch.unref()
  })

const hasApprover = ({ users }: TestTenant) =>
  users.some(({ permissions }) => permissions.includes('jit.approve'))

const summary = async (harness: Harness, tenant: TestTenant) => ({
  issuer: harness.issuer,
  api: harness.api,
  tenant: tenant.tenant,
  client_id: tenant.agents[0]?.client_id,
  client_secret: tenant.agents[0]?.client_secret,
  control_token: harness.controlToken,
  approver_token: hasApprover(tenant) ? await tenant.approver.token() : '',
  model: tenant.model,
})

/** The environment variables of an agent, an API and a model. */
const environmentOf = (harness: Harness, tenant: TestTenant) => ({
  agent: tenant.environment,
  api: apiEnvironment(tenant, harness.api),
  model: modelEnvironment(tenant.model),
})

const createGreeting = async (
  harness: Harness,
  tenant: TestTenant,
  environment: ReturnType<typeof environmentOf>,
  { env, dotenv, config, secrets }: StartOptions & { secrets: ClientSecrets },
) => {
  const block = (variables: Readonly<Record<string, string>>) =>
    Object.entries(variables)
      .map(([name, value]) => assignments[env](name, value))
      .join('\n')
  const text = `lumoauth-harness is up. Set this where your agent runs:

${block(environment.agent)}

Set this where your own API runs:

${block(environment.api)}

Set this where an agent runs that has no model of its own:

${block(environment.model)}

issuer         ${harness.issuer}
documents API  ${harness.api}
tenant         ${harness.tenants.map((it) => it.tenant).join(', ')}${config === undefined ? '' : ` (${config})`}
client secrets ${secretsSaid[secrets]}
control token  ${harness.controlToken}
approvals page ${hasApprover(tenant) ? await tenant.approver.page() : '(no user may approve)'}${dotenv === undefined ? '' : `\nwrote          ${dotenv}`}

A tour in eight steps, and every scenario, in the browser: ${ownCommand} run --ui

Ctrl-C ends it.
`
  // A dotenv file may contain only assignments and comments.
  return env === 'dotenv' ? text.replace(/^(?![A-Z_]+=)(?=.)/gm, '# ') : text
}

/** The command of the package as its pages write it: for a clone, or for a project. */
const ownCommand = import.meta.url.endsWith('.ts')
  ? 'npm run harness --'
  : 'npm exec --no -- lumoauth-harness'

const secretsSaid: Record<ClientSecrets, string> = {
  fixed: 'the same at every start, for development on this machine: they are not secret',
  fresh: 'fresh at every start; give a client_secret in --config to keep one',
}

/** A secret from a README would be known to everyone who can reach the port. */
const clientSecretsOf = ({
  host,
  issuerOrigin,
  apiOrigin,
  secrets,
}: StartOptions): ClientSecrets => {
  const names = [
    host,
    ...[issuerOrigin, apiOrigin].flatMap((it) => (it ? [new URL(it).hostname] : [])),
  ]
  const beyond = names.find((name) => !isLoopback(name))
  if (secrets === 'fixed' && beyond !== undefined) {
    throw new UsageError(
      `--secrets fixed: expected to be reached on this machine only, not at ${beyond}; give each agent a client_secret in --config`,
    )
  }
  return secrets ?? (beyond === undefined ? 'fixed' : 'fresh')
}

const isLoopback = (name: string) => /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/i.test(name)

/** The configuration in the current folder, as `lumoauth-harness init` writes it. */
const findConfig = (): string | undefined => (existsSync(usualConfig) ? usualConfig : undefined)
