import { diffPolicies, isLooser, type PolicyDiff } from '../../policies/diff.ts'
import { diffMarkdown, diffText } from '../../policies/diff-text.ts'
import { loadPolicies, type PolicySource } from '../../policies/policy-source.ts'
import type { PolicyDiffOptions } from '../commands/policy/diff.ts'
import { writeReport } from '../write-report.ts'

/** `lumoauth-harness policy diff`. @returns the exit code */
export const policyDiff = async (
  before: string,
  after: string,
  { report: orders = [{ format: 'terminal', file: undefined }] }: PolicyDiffOptions,
): Promise<number> => {
  const [old, new_] = (await loadPolicies([before, after])) as [PolicySource, PolicySource]
  const diff = diffPolicies(old.policy, new_.policy)
  for (const { format, file } of orders) await writeReport(formats[format](diff), file)
  return isLooser(diff) ? 1 : 0
}

const formats: Record<'terminal' | 'markdown' | 'json', (diff: PolicyDiff) => string> = {
  terminal: diffText,
  markdown: diffMarkdown,
  json: (diff) => `${JSON.stringify(diff, null, 2)}\n`,
}
