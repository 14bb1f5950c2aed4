import { defineCommand } from '../command.ts'
import { checkAgentCommand } from './agent.ts'
import { checkApiCommand } from './api.ts'
import { checkIssuerCommand } from './issuer.ts'

/** `lumoauth-harness check` */
export const checkCommand = () =>
  defineCommand('check')
    .summary('check an issuer, an API or an agent that is not ours')
    .description(
      'Checks an issuer, an API or an agent of yours; the harness takes the other seats.',
    )
    .addCommand(checkIssuerCommand())
    .addCommand(checkApiCommand())
    .addCommand(checkAgentCommand())
    .addHelpText(
      'after',
      `
Exit code: 0 all is well, 1 something is not, 2 could not run.

lumoauth-harness check SEAT --help says more, with an example.`,
    )
