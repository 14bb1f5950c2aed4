import type { Loaded } from '../runner/load.ts'
import { run } from '../runner/run.ts'
import { mock } from '../targets/mock.ts'
import type { TargetFile } from '../targets/real-file.ts'
import { plannedCannot } from '../targets/real-plan.ts'

/**
 * Prints every request that would be sent. They are those the mock is sent for the same scenarios, at
 * the addresses of the target; nothing leaves this process.
 */
export const dryRun = async (
  scenarios: readonly Loaded[],
  file: TargetFile,
  { allowWrites }: { allowWrites: boolean },
): Promise<number> => {
  const cannot = plannedCannot(file, allowWrites)
  const double = await mock('fetch')
  let count = 0
  try {
    const { results } = await run(scenarios, { ...double, cannot })
    for (const { title, verdict, reason, exchanges } of results) {
      process.stdout.write(`${title}${verdict === 'skipped' ? `\n  skipped: ${reason}` : ''}\n`)
      for (const { seat, request } of exchanges) {
        if (seat !== 'issuer') continue
        count += 1
        process.stdout.write(`  ${request.method} ${addressed(request.url, file)}\n`)
      }
    }
  } finally {
    await double.close()
  }
  process.stdout.write(
    `\n${count} requests to the issuer, and about 15 to find out what it can do; none was sent\n`,
  )
  return 0
}

/** Where a request to the mock would go. */
const addressed = (url: string, { issuer }: TargetFile): string => {
  const { pathname, search } = new URL(url)
  const origin = issuer?.url.replace(/\/+$/, '') ?? ''
  const tenant = encodeURIComponent(issuer?.tenant ?? '')
  const path = pathname
    .replace(/^\/(t|orgs)\/[^/]+\//, `/$1/${tenant}/`)
    .replaceAll(/\b(task|jit|req)_[0-9a-f]{16}\b/g, '{$1}')
  return `${origin}${path}${search}`
}
