import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../server/index.ts'
import { environmentWith, pythonMissing, runPython } from './python.ts'

/**
 * The versions on PyPI; all use the org dialect. The tenant dialect of 0.x was never published
 * there.
 */
const versions = ['1.1.0', '1.0.0']

const missing = await pythonMissing()

describe.each(versions)('the published Python SDK %s, unmodified', (version) => {
  let python: string
  let harness: Harness

  beforeAll(async () => {
    if (missing) return
    python = await environmentWith(`lumoauth==${version}`)
    harness = await createHarness()
  }, 240_000)

  afterAll(async () => {
    await harness?.close()
  })

  it.skipIf(missing)(
    `completes the founding flow${missing ? ` (${missing})` : ''}`,
    async () => {
      const { environment } = harness.createTenant()

      const finished = await runPython(python, 'founding_flow.py', environment)

      expect(finished, finished.stderr).toMatchObject({ code: 0 })
      expect(steps(finished.stdout)).toEqual([
        { step: 'authenticate', ok: true, scopes: ['read:documents', 'write:reports'] },
        { step: 'info', name: 'report-bot', can_read: true },
        { step: 'task', prefix: 'task' },
        { step: 'refused', status: 403, header: true },
        { step: 'read', status: 200, title: 'Q4 revenue' },
        { step: 'write', status: 201, title: 'Q4 analysis' },
        { step: 'complete', ok: true },
        { step: 'after', statuses: [401, 401] },
      ])
    },
    60_000,
  )

  it.skipIf(missing)(
    'continues after a person has approved, after two polls',
    async () => {
      const { environment } = harness.createTenant({
        approver: { decision: 'approve', after_polls: 2 },
      })

      const finished = await runPython(python, 'delegation_and_approval.py', environment)

      expect(finished, finished.stderr).toMatchObject({ code: 0 })
      expect(steps(finished.stdout)).toEqual([
        { step: 'asked', status: 'approved', risk: 'critical', notes: null },
        { step: 'token', length: true },
      ])
    },
    60_000,
  )

  it.skipIf(missing)(
    'gets the reason of a denial',
    async () => {
      const { environment } = harness.createTenant({
        approver: { decision: 'deny', reason: 'Not during the audit.' },
      })

      const finished = await runPython(python, 'delegation_and_approval.py', {
        ...environment,
        ON_BEHALF_OF: 'alice@example.com',
      })

      expect(finished, finished.stderr).toMatchObject({ code: 0 })
      expect(steps(finished.stdout)).toEqual([
        { step: 'asked', status: 'denied', risk: 'critical', notes: 'Not during the audit.' },
      ])
    },
    60_000,
  )
})

const steps = (stdout: string): unknown[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
