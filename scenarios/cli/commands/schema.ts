import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness schema` */
export const schemaCommand = () =>
  definition().action(lazyAction(async () => (await import('../schema.ts')).schema))

export type SchemaOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('schema')
    .summary('write, or check, the JSON Schema of scenario files')
    .description(
      'Writes the JSON Schemas with which editors complete and check scenarios, rules, targets, tenants and policies. In the repository of the harness, also what else is made from the sources: the tables in scenarios/README.md and the names of the misbehaviours.',
    )
    .argument(
      '[folder]',
      'where the JSON Schemas go in a project that has this package installed',
      'schemas',
    )
    .option('--check', 'write nothing; exit code 1 when a file is out of date')
    .addHelpText('after', '\nExample: lumoauth-harness schema --check')
