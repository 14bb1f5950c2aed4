import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'

/** `lumoauth-harness policy lint` */
export const policyLintCommand = () =>
  definition().action(lazyAction(async () => (await import('../../policy/lint.ts')).policyLint))

export type PolicyLintOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('lint')
    .summary('find rules that never apply, gaps and typing errors in a policy')
    .description(
      `Finds mistakes in policies: rules that never apply, conditions that contradict each other, patterns that match nothing, unknown actions, rules that approve what no rule names, gaps between time windows, too many approvers, a missing catch-all.

Every finding is correct; an example request shows it where one can. A question that lint cannot answer is printed as a note, and is not a finding.`,
    )
    .argument('<file...>', 'policy files')
    .option(
      '--config <file>',
      'a configuration of start: its users with jit.approve are the approvers',
    )
    .option('--json', 'print findings and notes as JSON')
    .addHelpText(
      'after',
      `
On GitHub Actions, each finding is also an annotation at its line.

Exit code: 0 nothing found, 1 something found, 2 could not run.

Example: lumoauth-harness policy lint policy.yaml --config tenants.yaml`,
    )
