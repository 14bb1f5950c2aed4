import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'
import { reportOption } from '../values.ts'

/** `lumoauth-harness policy diff` */
export const policyDiffCommand = () =>
  definition().action(lazyAction(async () => (await import('../../policy/diff.ts')).policyDiff))

export type PolicyDiffOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('diff')
    .summary('which requests a new policy decides otherwise')
    .description(
      `Lists what a new policy decides otherwise than an old one, each with a request that shows it and of which nothing can be left out. What became looser comes first.

Looser is: approved instead of asked, asked instead of denied, fewer approvers, a longer lifetime, more time to approve.`,
    )
    .argument('<old>', 'a policy file')
    .argument('<new>', 'a policy file')
    .addOption(reportOption(['terminal', 'markdown', 'json']))
    .addHelpText(
      'after',
      `
Exit code: 0 nothing became looser, 1 something did, 2 could not run.

Example: lumoauth-harness policy diff main/policy.yaml policy.yaml --report markdown=diff.md`,
    )
