import type { Loaded } from '../language/load.ts'
import type { Target } from '../language/target.ts'
import { run } from '../runner/run.ts'
import { mock } from '../targets/mock/mock.ts'
import { planSkips } from '../targets/real/planned-skips.ts'
import { probe } from '../targets/real/probe.ts'
import type { TargetFile } from '../targets/real/target-file.ts'

/**
 * Prints every request that would be sent: those that the same scenarios send to the mock, with the
 * URLs of the target. Sends none.
 */
export const dryRun = async (
  scenarios: readonly Loaded[],
  file: TargetFile,
  { allowWrites }: { allowWrites: boolean },
): Promise<number> => {
  const cannot = planSkips(file, allowWrites)
  const referenceMock = await mock('fetch')
  let count = 0
  const print = ({ method, url }: Readonly<{ method: string; url: string }>) => {
    count += 1
    process.stdout.write(`  ${method} ${addressOf(url, file)}\n`)
  }
  try {
    process.stdout.write('To find out what the issuer can do\n')
    for (const request of await collectProbeRequests(referenceMock, file)) print(request)
    const { results } = await run(scenarios, { ...referenceMock, cannot })
    for (const { title, verdict, reason, exchanges } of results) {
      process.stdout.write(`${title}${verdict === 'skipped' ? `\n  skipped: ${reason}` : ''}\n`)
      for (const { seat, request } of exchanges) {
        if (seat !== 'issuer') continue
        print(request)
      }
    }
  } finally {
    await referenceMock.close()
  }
  process.stdout.write(`\n${count} requests to the issuer; none was sent\n`)
  return 0
}

/** The requests of a probe, sent to the mock instead of the target. */
const collectProbeRequests = async (
  referenceMock: Target,
  file: TargetFile,
): Promise<readonly Request[]> => {
  const { issuer } = file
  if (issuer === undefined) return []
  const session = await referenceMock.open({}, { tenant: 'dry-run' })
  const sent: Request[] = []
  try {
    await probe(
      {
        file: {
          ...file,
          issuer: { ...issuer, url: session.urls.issuer, tenant: session.tenant },
        },
        agents: session.agents.slice(0, Math.max(1, file.agents?.length ?? 1)),
        users: file.users.map(({ email, permissions }) => ({ email, permissions, token: 'none' })),
        apiClient: file.api_client && session.apiClient,
        elsewhere: undefined,
      },
      (request) => {
        sent.push(request)
        return session.fetch('issuer')(request)
      },
    )
  } finally {
    await session.close()
  }
  return sent
}

/** The URL at the target of a request to the mock. */
const addressOf = (url: string, { issuer }: TargetFile): string => {
  const { pathname, search } = new URL(url)
  const origin = issuer?.url.replace(/\/+$/, '') ?? ''
  const tenant = encodeURIComponent(issuer?.tenant ?? '')
  const path = pathname
    .replace(/^\/(t|orgs)\/[^/]+\//, `/$1/${tenant}/`)
    .replaceAll(/\b(task|jit|req)_[0-9a-f]{16}\b/g, '{$1}')
  return `${origin}${path}${search}`
}
