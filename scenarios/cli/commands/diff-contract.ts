import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness diff-contract` */
export const diffContractCommand = () =>
  definition().action(lazyAction(async () => (await import('../diff-contract.ts')).diffContract))

export type DiffContractOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('diff-contract')
    .summary('where an OpenAPI file differs from the contract, and which scenarios that touches')
    .description(
      `Lists where an OpenAPI file differs from the built-in contract, and which scenarios that touches.

Compared are the routes of the issuer: paths, methods, required and known members of JSON bodies, and the statuses of success.`,
    )
    .argument('<file>', 'OpenAPI 3 in YAML or JSON')
    .option('--json', 'print the differences as JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 no difference in what both know, 1 some, 2 could not run.

Example: lumoauth-harness diff-contract openapi.json`,
    )
