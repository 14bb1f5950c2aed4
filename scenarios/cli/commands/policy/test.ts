import { Option } from '@commander-js/extra-typings'
import { reportFormats } from '../../../reports/report.ts'
import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'
import { reportOption, wholeNumber } from '../values.ts'

/** `lumoauth-harness policy test` */
export const policyTestCommand = () =>
  definition().action(lazyAction(async () => (await import('../../policy/test.ts')).policyTest))

export type PolicyTestOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('test')
    .summary('run the cases of policy test files, and tell which rules they cover')
    .description(
      `Runs policy tests: each case is a request, and what the policy should decide.

Coverage counts, for each rule, that it decided a case, and for each of its conditions, that it held and that it failed in a case that reached the rule.`,
    )
    .argument('<file...>', 'test files, globs, or folders with files such as policy.test.yaml')
    .addOption(reportOption(reportFormats))
    .option('--only <text>', 'only cases with this in their title; coverage is not counted')
    .addOption(
      new Option('--min-coverage <percent>', 'fail below this coverage of any policy')
        .argParser(wholeNumber({ from: 0, to: 100 }))
        .conflicts('only'),
    )
    .addHelpText(
      'after',
      `
On GitHub Actions, each failure is also an annotation at its line.

Exit code: 0 all passed, 1 something failed, 2 could not run.

Example: lumoauth-harness policy test policy.test.yaml --min-coverage 100`,
    )
