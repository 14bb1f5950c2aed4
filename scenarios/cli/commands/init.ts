import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness init` */
export const initCommand = () =>
  definition().action(lazyAction(async () => (await import('../init.ts')).init))

export type InitOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('init')
    .summary('write tenants.yaml and scripts into this folder')
    .description(
      'Writes tenants.yaml, which start finds, and where there is a package.json its scripts lumoauth and lumoauth:check.',
    )
    .option('--agent <command>', 'the command that runs your agent', 'python agent.py')
    .option('--force', 'write over a tenants.yaml that is there')
    .addHelpText('after', "\nExample: lumoauth-harness init --agent 'node agent.ts'")
