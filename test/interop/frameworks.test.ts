import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../server/index.ts'
import { modelEnvironment, type TenantSeed } from '../../server/wire/index.ts'
import {
  type Framework,
  frameworks,
  missing,
  noNetwork,
  prepared,
  type Run,
  type Traces,
  tracesOf,
  typeErrors,
  versionOf,
} from './frameworks.ts'

type Seed = (typeof TenantSeed)['_zod']['input']
type Column = 'read' | 'write' | 'approval' | 'denial' | 'no answer' | 'clean-up on error'

/** The row of a framework in the table: `NO` from the start of a test until it has passed. */
const rows: (Partial<Record<Column, string>> & { framework: Framework; seconds: number })[] = []

const skipped = new Map<Framework, string>()
for (const framework of frameworks) {
  const reason = await missing(framework)
  if (reason) skipped.set(framework, reason)
}

const restricted = [
  { id: 'doc_9982', title: 'Q4 revenue', classification: 'restricted' as const, body: 'It rose.' },
]

const inTypeScript = [
  ...new Map(
    frameworks
      .filter((it) => it.language === 'TypeScript' && !skipped.has(it))
      .map((it) => [it.folder, it]),
  ).values(),
]

it.each(inTypeScript)(
  'the $name example compiles with the types of its packages',
  async (framework) => {
    expect(await typeErrors(framework)).toBe('')
  },
  600_000,
)

describe.each(frameworks)('$name ($language), unmodified, with a scripted model', (framework) => {
  const reason = skipped.get(framework)
  const row = { framework, seconds: 0 } as (typeof rows)[number]
  rows.push(row)
  let harness: Harness
  let network: Awaited<ReturnType<typeof noNetwork>>
  let run: Run

  beforeAll(async () => {
    if (reason) return
    run = await prepared(framework)
    harness = await createHarness()
    network = await noNetwork()
  }, 600_000)

  afterAll(async () => {
    await harness?.close()
    network?.close()
  })

  const begin = (...columns: readonly Column[]) => {
    for (const column of columns) row[column] = 'NO'
  }

  /** One run in its own tenant. Whatever its outcome, nothing leaks and no task stays open. */
  const runIn = async (seed: Seed = {}, { patience = 30 } = {}) => {
    const tenant = harness.createTenant({ policy: { poll_interval: 1 }, ...seed })
    const started = performance.now()

    const finished = await run({
      ...tenant.environment,
      ...network.environment,
      ...modelEnvironment(tenant.model),
      JIT_POLL_INTERVAL: '0.2',
      JIT_POLL_TIMEOUT: String(patience),
    })

    row.seconds += (performance.now() - started) / 1000
    const traces = await tracesOf(harness, tenant)
    const said = finished.stdout + finished.stderr
    expect(network.tried, 'network other than loopback').toEqual([])
    expect(said).not.toMatch(/\beyJ[\w-]+\.[\w-]+/)
    expect(said).not.toContain(tenant.agents[0]?.client_secret)
    expect(traces.conversations.flatMap(({ leaks }) => leaks)).toEqual([])
    expect(traces.journal.at(-1)?.type, said).toBe('task.completed')
    expect(count(traces, 'token.revoked')).toBe(count(traces, 'token.issued') - 1)
    return { ...finished, said, traces }
  }

  it.skipIf(reason)(
    'gets a 403, requests the permission, and reads',
    async () => {
      begin('read', 'write')
      const { code, said, traces } = await runIn()

      expect(code, said).toBe(0)
      expect(statuses(traces, 'documents.read')).toEqual([403, 200])
      row.read = 'yes'
      const { writes } = framework
      if (writes === undefined) return
      expect(
        statuses(traces, writes === 'reports' ? 'reports.create' : 'documents.summarise'),
      ).toEqual([403, 201])
      row.write = 'yes'
    },
    180_000,
  )

  it.skipIf(reason)(
    'continues after a person has approved, after two polls',
    async () => {
      begin('approval')
      const { code, said, traces } = await runIn({
        documents: restricted,
        approver: { decision: 'approve', after_polls: 2 },
      })

      expect(code, said).toBe(0)
      expect(statuses(traces, 'documents.read')).toEqual([403, 200])
      expect(statuses(traces, 'jit.request.status').slice(0, 3)).toEqual([200, 200, 200])
      expect(said).toContain('doc_9982')
      row.approval = 'yes'
    },
    180_000,
  )

  it.skipIf(reason)(
    'tells its user why a person has denied',
    async () => {
      begin('denial')
      const { code, said, traces } = await runIn({
        documents: restricted,
        approver: { decision: 'deny', reason: 'Not during the audit.' },
      })

      expect(code, said).toBe(0)
      expect(statuses(traces, 'documents.read')).toEqual([403])
      expect(said.replace(/[\s│┃]+/g, ' ')).toContain('Not during the audit.')
      row.denial = 'yes'
    },
    180_000,
  )

  it.skipIf(reason)(
    'tells its user that no decision came in time',
    async () => {
      begin('no answer')
      const { code, said, traces } = await runIn(
        { documents: restricted, approver: { decision: 'ignore' } },
        { patience: 2 },
      )

      expect(code, said).toBe(0)
      expect(statuses(traces, 'documents.read')).toEqual([403])
      expect(said).toMatch(/no one decided in time|not decided within/)
      row['no answer'] = 'yes'
    },
    180_000,
  )

  it.skipIf(reason)(
    'completes its task although the model fails',
    async () => {
      begin('clean-up on error')
      const { said, traces } = await runIn({
        model: { replies: [{ call: reading(framework) }] },
      })

      expect(said).toContain('the script has no reply to this conversation')
      expect(statuses(traces, 'documents.read')[0]).toBe(403)
      row['clean-up on error'] = 'yes'
    },
    180_000,
  )
})

afterAll(() => {
  console.log(table())
})

const count = ({ journal }: Traces, type: string) =>
  journal.filter((entry) => entry.type === type).length

const statuses = ({ exchanges }: Traces, route: string) =>
  exchanges.filter((exchange) => exchange.route === route).map(({ answer }) => answer.status)

/** The first call of each guide's own tool. */
const reading = ({ folder }: Framework) => ({
  name: readers[folder] ?? 'fetch_sensitive_document',
  arguments: { document_id: 'doc_9982' },
})

const readers: Record<string, string> = {
  'langgraph-py': 'fetch_protected_document',
  'openai-agents-py': 'fetch_protected_document',
  agno: 'fetch_document',
  'google-adk': 'fetch_document',
}

const columns: readonly Column[] = [
  'read',
  'write',
  'approval',
  'denial',
  'no answer',
  'clean-up on error',
]

const table = (): string => {
  const lines = [
    ['framework', 'version', 'language', ...columns, 'seconds'],
    ...rows.map((row) => {
      const { framework, seconds } = row
      const reason = skipped.get(framework)
      const said = columns.map((column) =>
        column === 'write' && framework.writes === undefined ? '–' : (row[column] ?? 'not run'),
      )
      return [
        framework.name,
        versionOf(framework),
        framework.language,
        ...(reason ? [`skipped: ${reason}`] : [...said, seconds.toFixed(1)]),
      ]
    }),
  ]
  const widths = lines[0]?.map((_, at) =>
    Math.max(
      ...lines.map((line) => (line.length > at + 1 || at < 3 ? (line[at]?.length ?? 0) : 0)),
    ),
  )
  return `\n${lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths?.[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`
}
