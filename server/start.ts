import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createHarness, type Harness } from './harness.ts'
import { type TenantCreated, TenantSeed } from './wire/index.ts'
import { FlawedFile, parseYaml } from './wire/yaml-source.ts'

export const usage = `lumoauth-harness start: a simulated LumoAuth issuer and a protected API, until Ctrl-C

Usage: lumoauth-harness start [options]

  --port N           port of the issuer, 0 for any free one (default 4400)
  --api-port N       port of the documents API, 0 for any free one (default 4401)
  --host ADDRESS     where to listen (default 127.0.0.1, this machine only)
  --config FILE      a tenant, or tenants: [...], in YAML or JSON
  --algorithm ALG    RS256 (default), ES256 or EdDSA
  --env SHELL        how the environment is printed: bash (default), powershell, dotenv
  --json             print one line of JSON when ready, and nothing else
  --help             this

Example: npm start -- --port 0 --api-port 0 --json
`

/** What a person got wrong, in one line; it ends the command with exit code 2. */
class Unusable extends Error {
  override readonly name = 'Unusable'
}

/**
 * Options in, listening servers and a printed environment out.
 * @returns the exit code: 0 after SIGINT or SIGTERM, 2 when it could not start
 */
export const start = async (args: readonly string[]): Promise<number> => {
  try {
    const options = read(args)
    if (options === 'help') {
      process.stdout.write(usage)
      return 0
    }
    await using harness = await open(options)
    const [tenant] = harness.tenants as [TenantCreated]
    const stopped = signalled()
    const approverToken = await approver(harness, tenant)
    process.stdout.write(
      options.json
        ? `${JSON.stringify(summary(harness, tenant, approverToken))}\n`
        : greeting(harness, tenant, approverToken, options.shell),
    )
    await stopped
    return 0
  } catch (failed) {
    if (!(failed instanceof Unusable)) throw failed
    process.stderr.write(`lumoauth-harness start: ${failed.message}\n`)
    return 2
  }
}

type Options = Readonly<{
  port: number
  apiPort: number
  host: string
  algorithm: 'RS256' | 'ES256' | 'EdDSA'
  shell: 'bash' | 'powershell' | 'dotenv'
  json: boolean
  tenants: readonly TenantSeed[]
}>

const read = (args: readonly string[]): Options | 'help' => {
  const { values } = parsed(args)
  if (values.help) return 'help'
  return {
    port: port('--port', values.port),
    apiPort: port('--api-port', values['api-port']),
    host: values.host,
    algorithm: oneOf('--algorithm', values.algorithm, ['RS256', 'ES256', 'EdDSA']),
    shell: oneOf('--env', values.env, ['bash', 'powershell', 'dotenv']),
    json: values.json,
    tenants: values.config === undefined ? [usualTenant] : configured(values.config),
  }
}

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '4400' },
        'api-port': { type: 'string', default: '4401' },
        host: { type: 'string', default: '127.0.0.1' },
        config: { type: 'string' },
        algorithm: { type: 'string', default: 'RS256' },
        env: { type: 'string', default: 'bash' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (wrong) {
    const [first = ''] = String((wrong as Error).message).split('. ', 1)
    throw new Unusable(`${first} (see --help)`)
  }
}

const usualTenant = TenantSeed.parse({ tenant: 'acme-corp' })

const configured = (file: string): readonly TenantSeed[] => {
  try {
    const text = readFileSync(file, 'utf8')
    const several = z.looseObject({ tenants: z.unknown() })
    if (several.safeParse(parseYaml(file, text, z.unknown())).success) {
      const schema = z.strictObject({ tenants: z.array(TenantSeed).min(1) })
      return parseYaml(file, text, schema).tenants
    }
    return [{ ...usualTenant, ...parseYaml(file, text, TenantSeed) }]
  } catch (wrong) {
    if (wrong instanceof FlawedFile) throw new Unusable(wrong.message)
    const { code, message } = wrong as NodeJS.ErrnoException
    if (code === undefined) throw wrong
    throw new Unusable(`cannot read ${file}: ${message.split(',', 1)[0]}`)
  }
}

const port = (option: string, text: string): number => {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number
  throw new Unusable(`${option} ${text}: expected a port, 0 to 65535`)
}

const oneOf = <const V extends string>(option: string, text: string, values: readonly V[]): V => {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  throw new Unusable(`${option} ${text}: expected ${values.join(', ')}`)
}

const open = async (options: Options): Promise<Harness> => {
  try {
    return await createHarness(options)
  } catch (failed) {
    const {
      code,
      port: at,
      address,
    } = failed as NodeJS.ErrnoException & {
      port?: number
      address?: string
    }
    const where = `${address ?? options.host}:${at ?? options.port}`
    const known: Record<string, string> = {
      EADDRINUSE: `port ${at} is taken; stop what listens on ${where}, or use --port 0 --api-port 0`,
      EACCES: `port ${at} needs more rights than this user has; use a port above 1023`,
      EADDRNOTAVAIL: `${options.host} is no address of this machine`,
      ENOTFOUND: `${options.host} is no address of this machine`,
    }
    throw code !== undefined && known[code] !== undefined ? new Unusable(known[code]) : failed
  }
}

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })

/** Empty where nobody may approve. */
const approver = async (harness: Harness, { tenant, users }: TenantCreated): Promise<string> => {
  if (!users.some(({ permissions }) => permissions.includes('jit.approve'))) return ''
  const answer = await harness.handle(
    new Request(`${harness.issuer}/_harness/tenants/${tenant}/user-token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${harness.controlToken}` },
    }),
  )
  return ((await answer.json()) as { access_token: string }).access_token
}

const summary = (harness: Harness, { tenant, agents }: TenantCreated, approverToken: string) => ({
  issuer: harness.issuer,
  api: harness.api,
  tenant,
  client_id: agents[0]?.client_id,
  client_secret: agents[0]?.client_secret,
  control_token: harness.controlToken,
  approver_token: approverToken,
})

const greeting = (
  harness: Harness,
  tenant: TenantCreated,
  approverToken: string,
  shell: Options['shell'],
) => `lumoauth-harness is up. Paste this where your agent runs:

${Object.entries(tenant.environment)
  .map(([name, value]) => assignments[shell](name, value))
  .join('\n')}

issuer         ${harness.issuer}
documents API  ${harness.api}
tenant         ${harness.tenants.map((it) => it.tenant).join(', ')}
control token  ${harness.controlToken}
approver token ${approverToken || '(no user may approve)'}

Ctrl-C ends it.
`

const assignments: Record<Options['shell'], (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${value}`,
}
