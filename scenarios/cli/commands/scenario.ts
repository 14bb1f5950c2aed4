import { defineCommand, lazyAction } from './command.ts'

/** `lumoauth-harness scenario new` */
export const scenarioCommand = () =>
  defineCommand('scenario')
    .summary('write a new scenario file to begin with')
    .description('Writes a new scenario file to begin with.')
    .addCommand(newCommand())
    .addHelpText('after', example)

const newCommand = () =>
  defineCommand('new')
    .description('Writes a new scenario file to begin with.')
    .argument(
      '<name>',
      'a path that ends in .yaml; else a name below scenarios/ of the project (in this repository: theme/name in the suite)',
    )
    .addHelpText('after', example)
    .action(lazyAction(async () => (await import('../scenario.ts')).createScenario))

const example = '\nExample: lumoauth-harness scenario new tokens/a-token-dies-with-its-task'
