import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'

/** `lumoauth-harness policy explain` */
export const policyExplainCommand = () =>
  definition().action(
    lazyAction(async () => (await import('../../policy/explain.ts')).policyExplain),
  )

export type PolicyExplainOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('explain')
    .summary('why a policy decides a request as it does')
    .description(
      'Prints what a policy decides of one request: its rules in order, and for each condition what the rule wants, what the request has, and whether the condition holds.',
    )
    .argument('<policy>', 'a policy file')
    .argument('<request>', 'a file with a request as in policy tests, or the request as YAML: {…}')
    .option('--json', 'print the explanation as JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 whatever is decided, 2 could not run.

Example: lumoauth-harness policy explain policy.yaml '{ authorization_details: { type: payment, actions: [initiate] }, score: 40 }'`,
    )
