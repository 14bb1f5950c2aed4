import { defineCommand, lazyAction } from './command.ts'

/** `lumoauth-harness misbehaviours` */
export const misbehavioursCommand = () =>
  defineCommand('misbehaviours')
    .summary('list the misbehaviours that a seat can have')
    .description('Lists the misbehaviours of each seat, and of the network before it.')
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
