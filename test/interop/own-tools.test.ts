import { expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { modelEnvironment } from '../../server/wire/index.ts'
import { frameworks, missing, noNetwork, requirementsOf, tracesOf } from './frameworks.ts'
import { environmentWith, runPython } from './python.ts'

const folder = 'openai-agents-py'
const framework = frameworks.find((it) => it.folder === folder)
const reason = framework === undefined ? `no example ${folder}` : await missing(framework)

it.skipIf(reason)(
  'an agent whose tools no script knows runs without a script: each call, answer, stream and handoff',
  async () => {
    const python = await environmentWith(...requirementsOf(folder))
    await using harness = await createHarness()
    const tenant = harness.createTenant()
    const network = await noNetwork()

    const finished = await runPython(python, 'own_tools.py', {
      ...tenant.environment,
      ...network.environment,
      ...modelEnvironment(tenant.model),
      OPENAI_AGENTS_DISABLE_TRACING: '1',
    })

    network.close()
    expect(finished, finished.stderr).toMatchObject({ code: 0 })
    const said = 'The tool answered: placed'
    expect(JSON.parse(finished.stdout)).toEqual({
      answers: { plain: said, streamed: said, chat: said, handoff: said },
      verdict: { summary: said, period: { year: 2020, quarter: 1 } },
      ran: Array(5).fill('place_order'),
    })
    const { conversations } = await tracesOf(harness, tenant)
    expect(conversations.flatMap(({ error = [] }) => error)).toEqual([])
    expect(new Set(conversations.map(({ model }) => model))).toContain('a-model-of-next-year')
  },
  600_000,
)
