import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../server/index.ts'
import { modelEnvironment } from '../../server/wire/index.ts'
import { nodeEnvironmentFor, runNode } from './node.ts'
import { environmentWith, type Finished, pythonMissing, runPython } from './python.ts'

/** An example that suspends its run until a person decides. */
type Waiting = Readonly<{
  framework: string
  folder: string
  main: string
  /** How the framework itself suspends and resumes. */
  by: string
  onDemand?: true
}>

const examples: readonly Waiting[] = [
  {
    framework: 'AI SDK',
    folder: 'ai-sdk',
    main: 'waiting.ts',
    by: 'needsApproval, messages as JSON',
  },
  {
    framework: 'OpenAI Agents',
    folder: 'openai-agents',
    main: 'waiting.ts',
    by: 'needsApproval, RunState.toString',
  },
  {
    framework: 'LangGraph',
    folder: 'langgraph',
    main: 'waiting.ts',
    by: 'interrupt, Command({ resume }), checkpointer',
  },
  {
    framework: 'MCP over stdio',
    folder: 'mcp',
    main: 'waiting.ts',
    by: 'error -32042 (URL elicitation), call made again',
  },
  {
    framework: 'Mastra',
    folder: 'mastra',
    main: 'waiting.ts',
    by: 'suspend in the tool, resumeGenerate, workflow snapshots',
    onDemand: true,
  },
  {
    framework: 'Google ADK',
    folder: 'google-adk',
    main: 'waiting.py',
    by: 'LongRunningFunctionTool, session as JSON',
    onDemand: true,
  },
  {
    framework: 'CrewAI',
    folder: 'crewai',
    main: 'waiting.py',
    by: 'flow with a human_feedback provider, SQLite persistence',
    onDemand: true,
  },
]

const here = join(import.meta.dirname, '../../client/examples')
const noPython = await pythonMissing()

let harness: Harness
let state: string
beforeAll(async () => {
  harness = await createHarness({ listen: true })
  state = await mkdtemp(join(tmpdir(), 'waiting-'))
})
afterAll(async () => {
  await harness.close()
  await rm(state, { recursive: true, force: true })
})

/** Runs the example once, in its own process. */
const runOnce = async (
  { folder, main }: Waiting,
  environment: Readonly<Record<string, string>>,
  file: string,
): Promise<Finished> => {
  if (main.endsWith('.py')) {
    const listed = await readFile(join(here, folder, 'requirements.txt'), 'utf8')
    const python = await environmentWith(...listed.trim().split('\n'))
    return runPython(python, join(here, folder, main), environment, [file])
  }
  const home = await nodeEnvironmentFor(join(here, folder))
  return runNode(home, join('client/examples', folder, main), environment, [file])
}

/** A tenant in which a person decides whether doc_9982 may be read. */
const open = () => {
  const tenant = harness.createTenant({
    approver: { decision: 'ignore' },
    documents: [
      { id: 'doc_9982', title: 'Q4', classification: 'restricted', body: 'Revenue rose.' },
    ],
  })
  const environment = {
    ...tenant.environment,
    ...modelEnvironment(tenant.model),
    JIT_POLL_INTERVAL: '1',
  }
  const count = (type: string) => tenant.journal().filter((it) => it.type === type).length
  const requestId = () => {
    const asked = tenant.journal().find((it) => it.type === 'permission.requested')
    if (asked?.type !== 'permission.requested') throw new Error('nothing was requested')
    return asked.request.id
  }
  return { tenant, environment, count, requestId }
}

describe.each(examples)('$framework suspends a run until a person decides', (example) => {
  const skipped = example.main.endsWith('.py') && noPython !== undefined
  const { onDemand } = example
  const later = onDemand !== undefined && process.env.INTEROP !== 'all'

  it.skipIf(skipped || later)(
    `and continues in a new process after the approval (${example.by})`,
    async () => {
      const { tenant, environment, count, requestId } = open()
      const file = join(state, `${example.folder}-approved`)

      const first = await runOnce(example, environment, file)
      expect(first, first.stderr).toMatchObject({ code: 0 })
      expect(first.stdout).toContain('suspended')
      expect(existsSync(file)).toBe(true)
      expect(await readFile(file, 'latin1')).not.toMatch(/eyJ[\w-]+\.[\w-]+\./)
      expect([count('permission.requested'), count('task.completed')]).toEqual([1, 0])

      await tenant.approver.approve(requestId())
      const second = await runOnce(example, environment, file)

      expect(second, second.stderr).toMatchObject({ code: 0 })
      expect(second.stdout).not.toContain('suspended')
      const reads = tenant
        .exchanges()
        .filter((it) => it.route === 'documents.read' && it.answer.status === 200)
      expect(reads.length).toBeGreaterThanOrEqual(1)
      expect(count('permission.requested')).toBe(2)
      expect([count('task.opened'), count('task.completed')]).toEqual([1, 1])
      expect(count('token.revoked')).toBeGreaterThanOrEqual(1)
      expect(existsSync(file)).toBe(false)
    },
    400_000,
  )

  it.skipIf(skipped || later)(
    'and completes its task in a new process after a denial',
    async () => {
      const { tenant, environment, count, requestId } = open()
      const file = join(state, `${example.folder}-denied`)

      const first = await runOnce(example, environment, file)
      expect(first, first.stderr).toMatchObject({ code: 0 })
      await tenant.approver.deny(requestId(), { agentMessage: 'Not during the audit.' })
      const second = await runOnce(example, environment, file)

      expect(second, second.stderr).toMatchObject({ code: 0 })
      expect(
        tenant
          .exchanges()
          .filter((it) => it.route === 'documents.read' && it.answer.status === 200),
      ).toEqual([])
      expect([count('task.opened'), count('task.completed')]).toEqual([1, 1])
    },
    400_000,
  )
})
