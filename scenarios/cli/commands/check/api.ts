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

/** `lumoauth-harness check api` */
export const checkApiCommand = () =>
  definition().action(lazyAction(async () => (await import('../../check/api.ts')).checkApi))

export type CheckApiOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('api')
    .summary('your API: does it challenge, verify and refuse?')
    .description(
      `Checks an API: our issuer, our agent, and your API in any language.

Each route that the target names is called without a token, with the right one, and with every wrong one: wide, narrow, expired, revoked, foreign, malformed, unsigned, for another audience, of another tenant. Your API has to trust our issuer: --api-command starts it with LUMOAUTH_ISSUER, LUMOAUTH_JWKS_URI, LUMOAUTH_INTROSPECTION_ENDPOINT, LUMOAUTH_AUDIENCE, API_CLIENT_ID, API_CLIENT_SECRET and PORT in its environment, and waits until it listens.`,
    )
    .option(
      '--target <file>',
      'its api: { url, routes } say what is called; lumoauth-harness target init writes one',
      'target.yaml',
    )
    .option('--api-command <cmd>', 'starts the API, by a shell')
    .option(
      '--issuer-port <n>',
      'the port of our issuer, for an API that already runs; its tenant is "check". 0 for any free one',
      wholeNumber({ from: 0, to: 65_535 }),
      0,
    )
    .option('--allow-writes', 'call routes that write, too', false)
    .addOption(onlyOption)
    .addOption(tagOption)
    .addOption(ruleOption)
    .addOption(reporterOption)
    .addOption(verboseOption)
    .option('--list', 'list what would run, and run nothing')
    .addOption(checkReportOption)
    .addOption(baselineOption)
    .addOption(updateBaselineOption)
    .addHelpText(
      'after',
      `
${exitCodes}

Example: lumoauth-harness check api --target api.yaml --api-command 'python app.py'`,
    )
