import { hosts, renamedHosts } from '../../targets/mock/hosts.ts'
import { defineCommand, lazyAction, type OptionsOf } from './command.ts'
import { choiceOption, wholeNumber } from './values.ts'

/** `lumoauth-harness sabotage` */
export const sabotageCommand = () =>
  definition().action(lazyAction(async () => (await import('../sabotage.ts')).sabotage))

export type SabotageOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('sabotage')
    .summary('enable each misbehaviour, and check that the suite notices it')
    .description(
      `Switches each misbehaviour on in turn and demands that the suite fails. A misbehaviour that no scenario notices is a hole in the suite. This is how we know that green means something.

First run the scenarios that cover the rule it breaks; if none of them fails, those whose exchanges it touches, until one does. What no client can notice stands in scenarios/unnoticed.yaml, with the reason.`,
    )
    .argument('[name...]', 'a misbehaviour, or part of its name; without one, all of them')
    .option('--full', 'run all scenarios that it could touch, and the excused misbehaviours too')
    .option(
      '--matrix <file>',
      'write the whole kill matrix as CSV: a row a misbehaviour, a column a scenario',
    )
    .addOption(
      choiceOption('--host <host>', 'how the mock is reached', hosts, renamedHosts).default(
        'fetch',
      ),
    )
    .option('--concurrency <n>', 'how many misbehaviours at once', wholeNumber(), 6)
    .addHelpText(
      'after',
      `
Exit code: 0 all noticed, 1 holes, 2 could not run.

Example: lumoauth-harness sabotage issuer-exchanges --full --matrix matrix.csv`,
    )
