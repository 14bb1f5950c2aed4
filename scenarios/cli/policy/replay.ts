import { loadPolicies, type PolicySource } from '../../policies/policy-source.ts'
import { type Replay, replayJournal } from '../../policies/replay.ts'
import { replayMarkdown, replayText } from '../../policies/replay-text.ts'
import type { PolicyReplayOptions } from '../commands/policy/replay.ts'
import { writeReport } from '../write-report.ts'

/** `lumoauth-harness policy replay`. @returns the exit code */
export const policyReplay = async ({
  journal,
  policy: file,
  tenant,
  report: orders = [{ format: 'terminal', file: undefined }],
}: PolicyReplayOptions): Promise<number> => {
  const [{ policy }] = (await loadPolicies([file])) as [PolicySource]
  const replay = await replayJournal(journal, policy, tenant)
  for (const { format, file } of orders) await writeReport(formats[format](replay), file)
  return 0
}

const formats: Record<'terminal' | 'markdown' | 'json', (replay: Replay) => string> = {
  terminal: replayText,
  markdown: replayMarkdown,
  json: (replay) => `${JSON.stringify(replay, null, 2)}\n`,
}
