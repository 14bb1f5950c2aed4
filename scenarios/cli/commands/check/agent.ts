import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'
import { reporterOption, verboseOption } from '../output-options.ts'
import { wholeNumber } from '../values.ts'
import {
  baselineOption,
  checkReportOption,
  exitCodes,
  updateBaselineOption,
} from './outcome-options.ts'

/** `lumoauth-harness check agent -- COMMAND` */
export const checkAgentCommand = () =>
  definition().action(lazyAction(async () => (await import('../../check/agent.ts')).checkAgent))

export type CheckAgentOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('agent')
    .summary('your agent: does it ask for the least?')
    .description(
      `Checks an agent: our issuer and our API, and your command once in every scenario.

Each scenario has a tenant of its own. The command gets LUMOAUTH_URL, LUMOAUTH_TENANT, LUMOAUTH_ORG_ID, AGENT_CLIENT_ID, AGENT_CLIENT_SECRET, DOCUMENTS_API_URL, and those of a scripted model: OPENAI_BASE_URL with OPENAI_API_KEY, GOOGLE_GEMINI_BASE_URL with GOOGLE_API_KEY. What it should do is its own affair, such as reading doc_9982; what is judged is how.`,
    )
    .usage('[options] -- COMMAND [ARGUMENT…]')
    .argument('[command...]', 'starts your agent; options after it are its own')
    .passThroughOptions()
    .option(
      '--given <file>',
      'seeds of every tenant, for an agent that needs its own documents or scopes',
    )
    .option('--limit <seconds>', 'how long the command may take in a scenario', wholeNumber(), 60)
    .option('--only <text>', 'only scenarios with this in their title or file name')
    .addOption(reporterOption)
    .addOption(verboseOption)
    .option('--list', 'list what would run, and run nothing')
    .addOption(checkReportOption)
    .addOption(baselineOption)
    .addOption(updateBaselineOption)
    .option('--concurrency <n>', 'how many commands run at once', wholeNumber(), 4)
    .addHelpText(
      'after',
      `
${exitCodes}

Example: lumoauth-harness check agent --report statement=agent.md -- python agent.py`,
    )
