import { defineCommand, lazyAction } from './command.ts'

/** `lumoauth-harness dialects` */
export const dialectsCommand = () =>
  defineCommand('dialects')
    .summary('list the choices where the sources of LumoAuth disagree')
    .description(
      'Lists the dialect switches: named choices where LumoAuth’s own sources disagree, or a draft differs.',
    )
    .argument(
      '[text...]',
      'part of a name, a value or a sentence; several: all of them. The first value is the default',
    )
    .addHelpText(
      'after',
      `
Set one in a configuration, by the control plane, or in a scenario:
  given: { dialect: { challenge: wg-00 } }

Example: lumoauth-harness dialects challenge`,
    )
    .action(lazyAction(async () => (await import('../dialects.ts')).dialects))
