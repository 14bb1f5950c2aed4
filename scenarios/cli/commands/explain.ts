import { defineCommand, lazyAction } from './command.ts'

/** `lumoauth-harness explain` */
export const explainCommand = () =>
  defineCommand('explain')
    .summary('explain a rule: sentence, source, scenarios, what breaks it')
    .description(
      'Explains rules: the sentence, its source, the scenarios that show it and how those last went, and the misbehaviours that break it.',
    )
    .argument('<rule...>', 'ids of rules')
    .addHelpText('after', '\nExample: lumoauth-harness explain THR-08')
    .action(lazyAction(async () => (await import('../explain.ts')).explain))
