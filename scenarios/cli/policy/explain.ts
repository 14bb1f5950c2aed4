import { explainRequest, explanationText } from '../../policies/explain.ts'
import { loadPolicies, type PolicySource } from '../../policies/policy-source.ts'
import { readRequest } from '../../policies/read-request.ts'
import type { PolicyExplainOptions } from '../commands/policy/explain.ts'

/** `lumoauth-harness policy explain`. @returns the exit code */
export const policyExplain = async (
  file: string,
  fileOrYaml: string,
  { json }: PolicyExplainOptions,
): Promise<number> => {
  const [policy] = (await loadPolicies([file])) as [PolicySource]
  const explanation = explainRequest(policy, await readRequest(fileOrYaml))
  process.stdout.write(
    json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation),
  )
  return 0
}
