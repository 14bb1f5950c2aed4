import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../../../server/usage-error.ts'
import { version } from '../../../server/version.ts'
import { inertText } from '../../../server/wire/inert-text.ts'
import { command } from '../../checks/agent/command.ts'
import { planScenarios } from '../../checks/api-plan.ts'
import { judgeResult } from '../../checks/not-tested.ts'
import { withTokenEvidence } from '../../checks/token-evidence.ts'
import type { Loaded } from '../../language/load.ts'
import type { SkipReason, Target } from '../../language/target.ts'
import { loadRules } from '../../runner/rules.ts'
import { run } from '../../runner/run.ts'
import { openIssuerBefore } from '../../targets/mock/issuer.ts'
import { RateLimitedFetch } from '../../targets/real/rate-limited-fetch.ts'
import { abortOnSignal } from '../abort-on-signal.ts'
import type { CheckApiOptions } from '../commands/check/api.ts'
import { reporterOf } from '../commands/output-options.ts'
import { createFilter, listScenarios, requireScenarios } from '../filters.ts'
import { filesOf, printProblems, rulesFile, suiteFolder } from '../find-scenarios.ts'
import { runLive } from '../run-live.ts'
import { loadTarget } from '../target-file.ts'
import { prepareReports } from '../write-report.ts'
import { concludeCheck, readBaselineOption, reportsToStdout } from './outcome.ts'

/** `lumoauth-harness check api`. @returns the exit code */
export const checkApi = async (options: CheckApiOptions): Promise<number> => {
  const { target: name, allowWrites } = options
  const file = await loadTarget(name)
  const { url, routes, audience } = file.api
  if (url === undefined || routes === undefined) {
    throw new UsageError(`${name} does not say what to call: api: { url: …, routes: [...] }`)
  }
  const baseline = await readBaselineOption(options)
  await prepareReports(options.report ?? [])
  const reasons = new Map<string, SkipReason>()
  const out = reportsToStdout(options.report) ? process.stderr : process.stdout
  using signal = abortOnSignal()
  const http = new RateLimitedFetch({
    hosts: new Set([new URL(url).origin]),
    perMinute: file.limits.requests_per_minute,
    total: file.limits.requests,
    timeout: file.limits.timeout,
    wait: file.limits.wait,
    signal,
  })
  const target = await openIssuerBefore(url, {
    port: options.issuerPort,
    audience: [audience].flat()[0],
    cannot: ({ title }) => reasons.get(title),
    fetch: http.fetch,
  })
  try {
    const plan = planScenarios(await templates(), file.api, {
      issuer: target.issuer,
      allowWrites,
    })
    if (plan.problems.length > 0) {
      printProblems(plan.problems)
      throw new UsageError(`${plan.problems.length} mistakes in scenarios made from ${name}`)
    }
    for (const [title, reason] of plan.reasons) reasons.set(title, reason)
    const chosen = plan.scenarios.filter(createFilter(options))
    requireScenarios(chosen, options)
    if (options.list) {
      process.stdout.write(listScenarios(chosen))
      return 0
    }
    const { rules } = (await loadRules(rulesFile())).catalogue
    await using _api = await startApi(options.apiCommand, url, target.environment, signal)
    await requireAcceptedToken(plan.scenarios, target)
    const whole = await runLive(
      chosen,
      target,
      {
        concurrency: 4,
        judge: async (result) => {
          const requires = routes.find((it) => it.request === result.theme)?.requires
          const seen = withTokenEvidence(result, { ...target.tokens, requires })
          return judgeResult(seen, { seat: 'api', rules })
        },
      },
      out,
      { reporter: reporterOf(options) },
    )
    const code = await concludeCheck(
      whole,
      {
        seat: 'api',
        name: file.name ?? target.name,
        where: url,
        harness: version,
        facts: [`routes: ${routes.length}, requests: ${http.sent}`],
        rules,
        leftovers: [],
      },
      options,
      baseline,
      out,
    )
    return signal.aborted ? 2 : code
  } finally {
    await target.close()
  }
}

/**
 * The positive control: every route accepts a sufficient token. Where one does not, no other answer
 * says anything about a rule.
 * @throws {UsageError} with the routes and their answers
 */
const requireAcceptedToken = async (scenarios: readonly Loaded[], target: Target) => {
  const controls = scenarios.filter((it) => it.file.endsWith('sufficient-token.yaml'))
  const { results } = await run(controls, target, { concurrency: 4 })
  const failed = results.filter((it) => it.verdict === 'failed')
  if (failed.length === 0) return
  const lines = failed.map(({ theme, failures, exchanges }) => {
    const [failure] = failures
    const { status } = exchanges[failure?.exchange ?? -1]?.answer ?? {}
    const answered =
      status === undefined ? (failure?.message ?? 'did not answer') : `answered ${status}`
    return `  ${theme} ${answered}${hintFor(status)}`
  })
  throw new UsageError(
    inertText(
      `the correct token is not accepted, so no other answer would mean anything:\n${lines.join('\n')}`,
    ),
  )
}

const hintFor = (status: number | undefined): string => {
  if (status === 404 || status === 405) return ': is the path of the route right?'
  if (status === 401) {
    return ': does the API read LUMOAUTH_ISSUER, LUMOAUTH_JWKS_URI and LUMOAUTH_AUDIENCE?'
  }
  if (status === 403) return ': is requires in the target the detail that the route takes?'
  return ''
}

const templates = async () => {
  const files = filesOf([join(suiteFolder(), '..', 'api-suite')])
  return Promise.all(
    files.map(async (file) => ({
      file: relative(process.cwd(), file),
      text: await readFile(file, 'utf8'),
    })),
  )
}

/** The API, started by us or already there, once it listens. */
const startApi = async (
  line: string | undefined,
  url: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<AsyncDisposable> => {
  const { hostname, port, protocol } = new URL(url)
  const at = Number(port || (protocol === 'https:' ? 443 : 80))
  if (line === undefined) {
    if (await isListening(hostname, at)) return { [Symbol.asyncDispose]: async () => {} }
    throw new UsageError(`nothing listens at ${url}; --api-command starts your API`)
  }
  if (await isListening(hostname, at)) {
    throw new UsageError(`something listens at ${url} already; stop it, or leave out --api-command`)
  }
  const stop = new AbortController()
  const running = command({
    line: ['/bin/sh', '-c', line],
    environment: { ...environment, PORT: String(at), HOST: hostname },
    limit: 24 * 3600,
    signal: stop.signal,
  })
  let ended: string | undefined
  running.ended.then(
    ({ code, output }) => {
      ended = `it ended with ${code}\n${output.trimEnd().split('\n').slice(-8).join('\n')}`
    },
    (error) => {
      ended = String(error)
    },
  )
  const end = async () => {
    stop.abort()
    await running.ended.catch(() => {})
  }
  const begun = Date.now()
  let told = false
  for (const until = begun + patience; ; await sleep(100)) {
    if (!told && Date.now() - begun > 1000) {
      told = true
      process.stderr.write(`waiting for ${url} (PORT=${at})…\n`)
    }
    if (ended !== undefined) throw new UsageError(`the API did not start: ${ended}`)
    if (await isListening(hostname, at)) return { [Symbol.asyncDispose]: end }
    if (Date.now() > until || signal.aborted) {
      await end()
      throw new UsageError(
        `the API does not listen at ${url} after ${patience / 1000} s; it was started with PORT=${at} and HOST=${hostname}`,
      )
    }
  }
}

const patience = 30_000

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 })
    const told = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => told(true))
    socket.once('timeout', () => told(false))
    socket.once('error', () => told(false))
  })
