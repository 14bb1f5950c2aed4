import { Option } from '@commander-js/extra-typings'
import { signingAlgorithms } from '../../../server/wire/signing-algorithms.ts'
import { defineCommand, lazyAction } from './command.ts'
import { choiceOption, collect, origin, wholeNumber } from './values.ts'

/** `lumoauth-harness start` */
export const startCommand = () =>
  defineCommand('start')
    .summary('start issuer, API and control plane, to develop against')
    .description('Starts a mock LumoAuth issuer and a protected API, until Ctrl-C.')
    .option('--port <n>', 'port of the issuer, 0 for any free one', port, 4400)
    .option('--api-port <n>', 'port of the documents API, 0 for any free one', port, 4401)
    .addOption(
      new Option('--host <address>', 'where to listen').default(
        '127.0.0.1',
        '127.0.0.1, this machine only',
      ),
    )
    .option('--issuer-origin <url>', 'public origin of the issuer, if it is not HOST:PORT', origin)
    .option('--api-origin <url>', 'the same for the API', origin)
    .option(
      '--config <file>',
      'a tenant, or tenants: [...], in YAML or JSON; read again when it changes',
    )
    .option('--policy <file>', 'the policy of every tenant; read again when it changes')
    .option('--model <file>', 'the script of the model in every tenant; read again when it changes')
    .addOption(
      choiceOption(
        '--approve <how>',
        'who answers when the policy asks a person: auto approves, deny denies, ask waits for a person to decide. Without it, what the configuration says, else ask',
        ['auto', 'ask', 'deny'],
      ),
    )
    .option(
      '--journal <file>',
      'store all events in FILE (and keys in FILE.keys): tasks, decisions and tokens survive a restart on the same ports',
    )
    .option(
      '--recording <file>',
      'answer for a tenant as its real issuer did: check issuer --record wrote it',
    )
    .option(
      '--misbehave <name>',
      'enable a misbehaviour in every tenant permanently; may be repeated',
      collect,
    )
    .addOption(
      choiceOption('--algorithm <alg>', 'how tokens are signed', signingAlgorithms).default(
        'RS256',
      ),
    )
    .addOption(
      choiceOption('--env <shell>', 'how the environment is printed', [
        'bash',
        'powershell',
        'dotenv',
      ]).default('bash'),
    )
    .addOption(
      choiceOption('--log <style>', 'requests on the standard error', [
        'pretty',
        'json',
        'off',
      ]).default(process.stderr.isTTY ? 'pretty' : 'off', 'pretty on a terminal, else off'),
    )
    .option(
      '--json',
      'print one line of JSON when ready, and nothing else on the standard output',
      false,
    )
    .addHelpText(
      'after',
      `
LUMOAUTH_HARNESS_CONTROL_TOKEN sets the token of the control plane; otherwise a fresh one is made.

Exit code: 0 after SIGINT or SIGTERM, 2 could not start.

Example: lumoauth-harness start --port 0 --api-port 0 --json`,
    )
    .action(lazyAction(async () => (await import('../../../server/start/start.ts')).start))

const port = wholeNumber({ from: 0, to: 65_535 })
