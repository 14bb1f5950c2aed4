import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { reportFormats } from '../../reports/report.ts'
import { hosts, renamedHosts } from '../../targets/mock/hosts.ts'
import { defineCommand, lazyAction, type OptionsOf } from './command.ts'
import { onlyOption, ruleOption, tagOption } from './filter-options.ts'
import { reporterOption, verboseOption } from './output-options.ts'
import { choiceOption, origin, reportOption, wholeNumber } from './values.ts'

/** `lumoauth-harness run` */
export const runCommand = () =>
  definition().action(lazyAction(async () => (await import('../run.ts')).run))

export type RunOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('run')
    .summary('run scenarios against the mock, under one or all of its hosts')
    .description('Runs scenarios against the mock.')
    .argument(
      '[pattern...]',
      'a file, a folder or a glob; a theme or a scenario of the suite, such as tokens; else part of a path in it. Without one, the whole suite runs',
    )
    .addOption(onlyOption)
    .addOption(tagOption)
    .addOption(ruleOption)
    .addOption(
      choiceOption(
        '--host <host>',
        'how the mock is reached',
        [...hosts, 'all'],
        renamedHosts,
      ).default('express'),
    )
    .addOption(
      new Option(
        '--harness <url>',
        'a harness that start runs there, instead of a new one; LUMOAUTH_HARNESS_CONTROL_TOKEN holds its control token',
      )
        .argParser(origin)
        .conflicts('host'),
    )
    .addOption(reportOption(reportFormats))
    .option('--failed', 'only scenarios that failed in their last run here')
    .option('--watch', 'run again whenever a scenario, or the code of the harness, changes')
    .addOption(
      new Option(
        '--ui',
        'open a page for the suite on this machine: run, edit, watch and step through scenarios',
      ).conflicts([
        'watch',
        'report',
        'reporter',
        'verbose',
        'list',
        'bail',
        'failed',
        'repeat',
        'shard',
      ]),
    )
    .option(
      '--ui-port <port>',
      'the port of that page; without it a free one',
      wholeNumber({ from: 0, to: 65_535 }),
    )
    .addOption(reporterOption)
    .addOption(verboseOption)
    .option('--list', 'list what would run, and run nothing')
    .option('--bail', 'stop after the first failure')
    .option(
      '--seed <n>',
      'seed of ids and secrets: equal seeds give equal transcripts',
      wholeNumber({ from: 0 }),
    )
    .option('--repeat <n>', 'run each scenario N times', wholeNumber(), 1)
    .option('--shard <i/n>', 'run the I-th of N parts', shard)
    .option('--concurrency <n>', 'how many run at once', wholeNumber(), 8)
    .addHelpText(
      'after',
      `
On GitHub Actions, each failure is also an annotation at its line.

Exit code: 0 all passed, 1 something failed, 2 could not run. With --ui: 0 after Ctrl-C.

Example: lumoauth-harness run founding approvals --host all --report junit=report.xml`,
    )

/** A part of the scenarios: the `part`-th of `parts`. */
export type Shard = Readonly<{ part: number; parts: number }>

const shard = (text: string): Shard => {
  const [, part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number)
  if (part >= 1 && part <= parts) return { part, parts }
  throw new InvalidArgumentError('Expected I/N, such as 1/3.')
}
