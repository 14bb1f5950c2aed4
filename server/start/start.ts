import {
  createHarness,
  type Harness,
  type HarnessOptions,
  shortestControlToken,
} from '../harness/harness.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import { findRecordedTenant } from '../http/replay.ts'
import { JournalError } from '../journal/error.ts'
import type { Algorithm } from '../signing/keys.ts'
import { UsageError } from '../usage-error.ts'
import { Recording } from '../wire/index.ts'
import { type ConfigurationOptions, configuration, readFile } from './configuration.ts'
import { assignments, type Shell } from './environment.ts'
import { type LogStyle, logTo } from './log-style.ts'
import { watchConfiguration } from './reload.ts'

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
    algorithm: Algorithm
    journal?: string
    /** A file with the recorded answers of a real issuer. */
    recording?: string
    /** The shell for the printed environment. */
    env: Shell
    log: LogStyle
    json: boolean
  }>

/**
 * Starts the servers, prints the environment, and waits for a signal.
 * @returns the exit code 0, after SIGINT or SIGTERM
 * @throws {UsageError} when the start failed
 */
export const start = async (options: StartOptions): Promise<number> => {
  const recording =
    options.recording === undefined ? undefined : readFile(options.recording, Recording)
  const firstTenant = recording && findRecordedTenant(recording)
  const configured = { ...options, ...(firstTenant && { firstTenant }) }
  const log = logTo(process.stderr, options.log)
  const seeds = await configuration(configured)
  await using harness = await open(options, {
    ...log.hears,
    onWarning: (message) => log.say('error', message),
    tenants: seeds,
    ...(recording && { recording }),
  })
  const stopped = waitForSignal()
  using _watch = watchConfiguration(harness, seeds, configured, log.say)
  const [tenant] = harness.tenants as [TestTenant, ...TestTenant[]]
  process.stdout.write(
    options.json
      ? `${JSON.stringify(await summary(harness, tenant))}\n`
      : await createGreeting(harness, tenant, options.env),
  )
  await stopped
  return 0
}

const open = async (options: StartOptions, more: HarnessOptions): Promise<Harness> => {
  const { port, apiPort, host, issuerOrigin, apiOrigin, algorithm, journal } = options
  const { LUMOAUTH_HARNESS_CONTROL_TOKEN: controlToken } = process.env
  if (controlToken && controlToken.length < shortestControlToken) {
    throw new UsageError(
      `LUMOAUTH_HARNESS_CONTROL_TOKEN: expected at least ${shortestControlToken} characters, received ${controlToken.length}; unset it to generate one`,
    )
  }
  try {
    return await createHarness({
      ...{ port, apiPort, host, algorithm, ...more, listen: true },
      origins: {
        ...(issuerOrigin === undefined ? {} : { issuer: issuerOrigin }),
        ...(apiOrigin === undefined ? {} : { api: apiOrigin }),
      },
      ...(controlToken ? { controlToken } : {}),
      ...(journal === undefined ? {} : { journal }),
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

const createGreeting = async (
  harness: Harness,
  tenant: TestTenant,
  shell: Shell,
) => `lumoauth-harness is up. Paste this where your agent runs:

${Object.entries(tenant.environment)
  .map(([name, value]) => assignments[shell](name, value))
  .join('\n')}

And these, for an agent that has no model but the scripted one:

${assignments[shell]('OPENAI_BASE_URL', tenant.model.base_url)}
${assignments[shell]('OPENAI_API_KEY', tenant.model.api_key)}

issuer         ${harness.issuer}
documents API  ${harness.api}
tenant         ${harness.tenants.map((it) => it.tenant).join(', ')}
control token  ${harness.controlToken}
approvals page ${hasApprover(tenant) ? await tenant.approver.page() : '(no user may approve)'}

Ctrl-C ends it.
`
