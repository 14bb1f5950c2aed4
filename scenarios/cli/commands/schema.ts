import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness schema` */
export const schemaCommand = () =>
  definition().action(lazyAction(async () => (await import('../schema.ts')).schema))

export type SchemaOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('schema')
    .summary('write, or check, the JSON Schema of scenario files')
    .description(
      'Writes the files generated from the scenario language: the JSON Schemas that editors complete and check scenario files and rules.yaml with, and the tables in scenarios/README.md.',
    )
    .option('--check', 'write nothing; exit code 1 when a file is out of date')
    .addHelpText('after', '\nExample: lumoauth-harness schema --check')
