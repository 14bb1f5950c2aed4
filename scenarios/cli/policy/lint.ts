import { inertText } from '../../../server/wire/inert-text.ts'
import { type Position, placeOf } from '../../language/source.ts'
import { approversIn } from '../../policies/approvers.ts'
import { exampleText } from '../../policies/example-text.ts'
import { lintPolicy } from '../../policies/lint.ts'
import { loadPolicies } from '../../policies/policy-source.ts'
import { annotation } from '../../reports/github.ts'
import type { PolicyLintOptions } from '../commands/policy/lint.ts'

/** `lumoauth-harness policy lint`. @returns the exit code */
export const policyLint = async (
  files: readonly string[],
  { config, json }: PolicyLintOptions,
): Promise<number> => {
  const policies = await loadPolicies(files)
  const approvers = config === undefined ? undefined : await approversIn(config)
  const lints = policies.map((it) => ({ file: it.name, ...lintPolicy(it, approvers) }))
  const findings = lints.flatMap((it) => it.findings)
  if (json) process.stdout.write(`${JSON.stringify(lints, null, 2)}\n`)
  else {
    for (const { kind, at, message, example } of findings) {
      process.stdout.write(inertText(`${placeOf(at)}: ${kind}: ${message}\n`))
      if (example) process.stdout.write(inertText(`  example: ${exampleText(example)}\n`))
    }
    for (const { at, message } of lints.flatMap((it) => it.notes)) {
      process.stdout.write(inertText(`${placeOf(at)}: note: ${message}\n`))
    }
    const rules = policies.reduce((sum, { policy }) => sum + policy.rules.length, 0)
    const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
    process.stdout.write(`${count} in ${rules} ${rules === 1 ? 'rule' : 'rules'}\n`)
  }
  if (process.env.GITHUB_ACTIONS === 'true') for (const it of findings) annotate(it)
  return findings.length > 0 ? 1 : 0
}

const annotate = ({ kind, at, message }: { kind: string; at: Position; message: string }) => {
  process.stderr.write(annotation(at, `policy lint: ${kind}`, message))
}
