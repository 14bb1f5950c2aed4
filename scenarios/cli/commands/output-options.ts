import { Option } from '@commander-js/extra-typings'
import { type Reporter, reporters } from '../../reports/report.ts'
import { choiceOption } from './values.ts'

/** The option `--reporter`. */
export const reporterOption = choiceOption(
  '--reporter <name>',
  'what is shown of each result: a line a theme, a line a scenario (list), a character (dot), nothing (quiet)',
  reporters,
)

/** The option `--verbose`. */
export const verboseOption = new Option(
  '--verbose',
  'show a line for each scenario, with its time or the reason why it was skipped',
)

/** The reporter that the options name. */
export const reporterOf = ({
  reporter,
  verbose,
}: Readonly<{ reporter?: Reporter | undefined; verbose?: true | undefined }>): Reporter =>
  reporter ?? (verbose ? 'list' : 'themes')
