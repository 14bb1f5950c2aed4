import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness rules` */
export const rulesCommand = () =>
  definition().action(lazyAction(async () => (await import('../rules.ts')).rules))

export type RulesOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('rules')
    .summary('list the rules, the scenarios that show each, and how those last went')
    .description(
      'Lists the rules of the catalogue, with the scenarios that show each and how those last went.',
    )
    .argument(
      '[text...]',
      'part of an id, a sentence, a source, a seat or a level; several: all of them',
    )
    .option('--uncovered', 'only rules that no scenario covers')
    .option(
      '--check',
      'list only problems: a rule without a scenario, a scenario without a rule, an unknown id. Exit code 1 when there is one',
    )
    .addHelpText('after', '\nExample: lumoauth-harness rules THR --uncovered')
