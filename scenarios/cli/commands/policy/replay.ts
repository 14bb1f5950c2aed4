import { defineCommand, lazyAction, type OptionsOf } from '../command.ts'
import { reportOption } from '../values.ts'

/** `lumoauth-harness policy replay` */
export const policyReplayCommand = () =>
  definition().action(lazyAction(async () => (await import('../../policy/replay.ts')).policyReplay))

export type PolicyReplayOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('replay')
    .summary('what a policy would have decided of the requests in a journal')
    .description(
      `Decides the requests of a journal once more, by another policy: how many would have been approved, asked and denied each day, and how many prompts people would have been spared or given.

Each request is decided by the facts of its time, scores and denials included. The journal is only read; start may have it open. Requests that expired without a decision are not in it after a compaction, and are left out.`,
    )
    .requiredOption(
      '--journal <file>',
      'the journal of start --journal, of this or an older version',
    )
    .requiredOption('--policy <file>', 'the policy to try')
    .option('--tenant <name>', 'only requests of this tenant')
    .addOption(reportOption(['terminal', 'markdown', 'json']))
    .addHelpText(
      'after',
      `
Exit code: 0 whatever is decided, 2 could not run.

Example: lumoauth-harness policy replay --journal journal.jsonl --policy policy.yaml`,
    )
