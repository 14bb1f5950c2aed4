import { defineCommand, lazyAction } from './command.ts'

/** `lumoauth-harness misbehaviours` */
export const misbehavioursCommand = () =>
  defineCommand('misbehaviours')
    .summary('list the defects that a seat can be told to have')
    .description(
      'Lists the misbehaviours that a seat, or the network before it, can be told to have.',
    )
    .argument(
      '[text...]',
      'part of a name, a sentence, a route or the id of the rule it breaks; several: all of them',
    )
    .addHelpText(
      'after',
      `
Switch one on with start --misbehave NAME, in a configuration, by the control plane, or in a scenario:
  - misbehave: { name: issuer-exchanges-twice }

Example: lumoauth-harness misbehaviours revo`,
    )
    .action(lazyAction(async () => (await import('../misbehaviours.ts')).misbehaviours))
