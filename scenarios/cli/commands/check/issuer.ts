import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'
import { onlyOption, ruleOption, tagOption } from '../filter-options.ts'
import { reporterOption, verboseOption } from '../output-options.ts'
import { wholeNumber } from '../values.ts'
import {
  baselineOption,
  checkReportOption,
  exitCodes,
  updateBaselineOption,
} from './outcome-options.ts'

/** `lumoauth-harness check issuer` */
export const checkIssuerCommand = () =>
  definition().action(lazyAction(async () => (await import('../../check/issuer.ts')).checkIssuer))

export type CheckIssuerOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('issuer')
    .summary('a LumoAuth deployment, or any OAuth server')
    .description(
      `Checks a LumoAuth deployment, or any OAuth server: our agent, our API or none, the real issuer.

What the issuer can do is found out first; a scenario that needs more is skipped, with the reason. Time passes for real, where it is short enough. Every task is completed, whatever happens; nothing is denied, registered or written without --allow-writes.`,
    )
    .argument('[pattern...]', 'part of the path of a scenario; without one, all of them')
    .option(
      '--target <file>',
      'target file; lumoauth-harness target init writes one',
      'target.yaml',
    )
    .option('--allow-writes', 'also scenarios that change more than their own tasks', false)
    .option(
      '--record <file>',
      'record the answers of the issuer, without secrets, for start --recording',
    )
    .option('--dry-run', 'print every request that would be sent, and send none')
    .addOption(onlyOption)
    .addOption(tagOption)
    .addOption(ruleOption)
    .addOption(reporterOption)
    .addOption(verboseOption)
    .option('--list', 'list what would run, and run nothing')
    .addOption(checkReportOption)
    .addOption(baselineOption)
    .addOption(updateBaselineOption)
    .option('--concurrency <n>', 'how many scenarios run at once', wholeNumber(), 4)
    .addHelpText(
      'after',
      `
${exitCodes}

Example: lumoauth-harness check issuer --target staging.yaml --report statement=staging.md`,
    )
