import { defineCommand, lazyAction, type OptionsOf } from './command.ts'

/** `lumoauth-harness target init` */
export const targetCommand = () =>
  defineCommand('target')
    .summary('write the description of a deployment to check')
    .description('Writes the description of a deployment, for lumoauth-harness check.')
    .addCommand(
      definition().action(lazyAction(async () => (await import('../target.ts')).initTarget)),
    )
    .addHelpText('after', example)

export type TargetOptions = OptionsOf<typeof definition>

const definition = () =>
  defineCommand('init')
    .description(
      `Writes the description of a deployment, for lumoauth-harness check.

What is not given as an option is asked, on a terminal. Where the credentials are in the environment already, the deployment is asked what it can do.`,
    )
    .argument('[file]', 'the file to write', 'target.yaml')
    .option('--issuer <url>', 'origin of the issuer, such as https://app.lumoauth.dev')
    .option(
      '--tenant <slug>',
      'your organisation there; absent: an OAuth server without organisations, checked against the standards only',
    )
    .option('--agent <name>', 'what the issuer calls your agent; else its client id')
    .option('--client-id-env <name>', 'variable with its client id; else AGENT_CLIENT_ID')
    .option('--client-secret-env <name>', 'variable with its secret; else AGENT_CLIENT_SECRET')
    .option('--approver-env <name>', 'environment variable with the token of an approver')
    .option('--api <url>', 'your API, for check api')
    .option('--route <route>', "one of its routes, as 'METHOD /path'")
    .option('--requires <json>', 'the detail that the route takes')
    .option('--force', 'overwrite an existing file')
    .addHelpText('after', example)

const example =
  '\nExample: lumoauth-harness target init staging.yaml --issuer https://app.lumoauth.dev --tenant acme'
