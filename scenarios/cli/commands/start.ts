import { Option } from '@commander-js/extra-typings'
import { signingAlgorithms } from '../../../server/wire/signing-algorithms.ts'
import { defineCommand, lazyAction } from './command.ts'
import { baseUrl, choiceOption, collect, httpOrigin, wholeNumber } from './values.ts'

/** `lumoauth-harness start` */
export const startCommand = () =>
  defineCommand('start')
    .summary('start issuer, API and control plane, to develop against')
    .description('Starts a mock LumoAuth issuer and a protected API, until Ctrl-C.')
    .addOption(
      new Option('--port <n>', 'port of the issuer, 0 for any free one')
        .argParser(port)
        .default(4400)
        .env('LUMOAUTH_HARNESS_PORT'),
    )
    .addOption(
      new Option('--api-port <n>', 'port of the documents API, 0 for any free one')
        .argParser(port)
        .default(4401)
        .env('LUMOAUTH_HARNESS_API_PORT'),
    )
    .addOption(
      new Option('--host <address>', 'where to listen').default(
        '127.0.0.1',
        '127.0.0.1, this machine only',
      ),
    )
    .option(
      '--issuer-origin <url>',
      'what others reach the issuer by, where that is not HOST:PORT',
      baseUrl,
    )
    .option('--api-origin <url>', 'the same for the API', baseUrl)
    .option(
      '--allow-host <name>',
      'answer under this host name as well, the approvals page and the control plane too; .example.com allows every subdomain; may be repeated',
      collect,
    )
    .option(
      '--trust-proxy',
      'believe X-Forwarded-Host, -Proto, -Port and -Prefix of a proxy in front',
      false,
    )
    .option(
      '--config <file>',
      'a tenant, or tenants: [...], in YAML or JSON; read again when it changes. Without it, tenants.yaml of this folder, if there is one',
    )
    .option(
      '--policy <file>',
      'the policy of every tenant, also of those made later; read again when it changes',
    )
    .option(
      '--model <file>',
      'what the scripted model of every tenant says; read again when it changes',
    )
    .addOption(
      choiceOption(
        '--approve <how>',
        'who answers when the policy asks a person: auto approves, deny denies, ask waits for a person to decide. Without it, what the configuration says, else ask',
        ['auto', 'ask', 'deny'],
      ),
    )
    .option(
      '--journal <file>',
      'keep what happens in FILE (and keys in FILE.keys): tasks, decisions and tokens survive a restart on the same ports; postgres://USER@HOST/DATABASE: several processes share it',
    )
    .option(
      '--reached-at <url>',
      'with --journal postgres://…: where the other processes reach the issuer of this one. Without it, HOST:PORT',
      httpOrigin,
    )
    .option('--api-reached-at <url>', 'the same for the API', httpOrigin)
    .option(
      '--recording <file>',
      'answer for a tenant as its real issuer did: check issuer --record wrote it',
    )
    .option(
      '--misbehave <name>',
      'switch a defect on in every tenant, also in those made later; may be repeated',
      collect,
    )
    .option(
      '--dialect <name=value>',
      'set a dialect switch of every tenant, also of those made later; may be repeated',
      collect,
    )
    .addOption(
      choiceOption('--algorithm <alg>', 'how tokens are signed', signingAlgorithms).default(
        'RS256',
      ),
    )
    .addOption(
      choiceOption(
        '--secrets <how>',
        'client secrets: fixed are the same at every start, and no secret; fresh are random. Without it, fixed on this machine, fresh where others reach it',
        ['fixed', 'fresh'],
      ),
    )
    // Not --env-file: Node reads an option of that name itself, wherever it stands in the command line.
    .option('--dotenv <file>', 'write the environment to a dotenv file, too')
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
