import { defineCommand } from '../command.ts'
import { policyDiffCommand } from './diff.ts'
import { policyExplainCommand } from './explain.ts'
import { policyLintCommand } from './lint.ts'
import { policyReplayCommand } from './replay.ts'
import { policyTestCommand } from './test.ts'

/** `lumoauth-harness policy` */
export const policyCommand = () =>
  defineCommand('policy')
    .summary('test an approval policy')
    .description('Tests, checks, compares, replays and explains approval policies.')
    .addCommand(policyTestCommand())
    .addCommand(policyLintCommand())
    .addCommand(policyDiffCommand())
    .addCommand(policyReplayCommand())
    .addCommand(policyExplainCommand())
    .addHelpText(
      'after',
      `
Exit code: 0 all is well, 1 something is not, 2 could not run.

lumoauth-harness policy COMMAND --help says more, with an example.`,
    )
