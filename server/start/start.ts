import { createHarness, type Harness, type HarnessOptions } from '../harness/harness.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import { findRecordedTenant } from '../http/replay.ts'
import { JournalError } from '../journal/error.ts'
import { UsageError } from '../usage-error.ts'
import { Recording } from '../wire/index.ts'
import { configuration, readFile } from './configuration.ts'
import { logTo } from './log-style.ts'
import { assignments, readOptions, type StartOptions, usage } from './options.ts'
import { watchConfiguration } from './reload.ts'

/**
 * Options in, listening servers and a printed environment out.
 * @returns the exit code: 0 after SIGINT or SIGTERM, 2 when it could not start
 */
export const start = async (args: readonly string[]): Promise<number> => {
  try {
    const read = readOptions(args)
    if (read === 'help') {
      process.stdout.write(usage)
      return 0
    }
    const recording =
      read.recordingFile === undefined ? undefined : readFile(read.recordingFile, Recording)
    const firstTenant = recording && findRecordedTenant(recording)
    const options = { ...read, ...(firstTenant && { firstTenant }) }
    const log = logTo(process.stderr, options.log)
    const seeds = await configuration(options)
    await using harness = await open(options, {
      ...log.hears,
      onWarning: (message) => log.say('error', message),
      tenants: seeds,
      ...(recording && { recording }),
    })
    const stopped = waitForSignal()
    using _watch = watchConfiguration(harness, seeds, options, log.say)
    const [tenant] = harness.tenants as [TestTenant, ...TestTenant[]]
    process.stdout.write(
      options.json
        ? `${JSON.stringify(await summary(harness, tenant))}\n`
        : await createGreeting(harness, tenant, options.shell),
    )
    await stopped
    return 0
  } catch (failed) {
    if (!(failed instanceof UsageError || failed instanceof JournalError)) throw failed
    process.stderr.write(`lumoauth-harness start: ${failed.message}\n`)
    return 2
  }
}

const open = async (options: StartOptions, more: HarnessOptions): Promise<Harness> => {
  const { log: _, ...others } = options
  try {
    return await createHarness({ ...others, ...more, listen: true })
  } catch (failed) {
    if (failed instanceof JournalError) throw failed
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
    throw code !== undefined && reasons[code] !== undefined ? new UsageError(reasons[code]) : failed
  }
}

/**
 * Resolves at SIGINT or SIGTERM. The shell between `npm start` and us passes neither on when npm is
 * told to stop: where that shell is gone, it was meant for us.
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
  shell: StartOptions['shell'],
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
