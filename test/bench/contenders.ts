import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/running.ts'
import { Connection } from './clients/connection.ts'
import { Process, script } from './process.ts'

export type Algorithm = 'RS256' | 'ES256'

/** The token endpoint of a started server, and the body to post. */
export type Ready = Readonly<{ token: string; form: string }>

export type Contender = Readonly<{
  name: string
  args: (algorithm: Algorithm) => readonly string[]
  env: NodeJS.ProcessEnv
  ready: (line: string) => Ready
}>

/** The members of the line of `start --json` that are used here. */
export type Started = Readonly<{
  issuer: string
  api: string
  tenant: string
  client_id: string
  client_secret: string
  control_token: string
}>

const versions = {
  autocannon: '8.0.0',
  jose: '6.2.3',
  'oauth2-mock-server': '9.3.0',
  'oidc-provider': '9.13.3',
}

/** The compiled command of the package. */
export const published: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).bin[
  'lumoauth-harness'
]

/** The folder with the installed peers, apart from our dependencies. */
export const peers = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'lumoauth-harness',
  'bench',
)

export const installPeers = (): void => {
  const isThere = Object.entries(versions).every(([name, version]) => {
    const file = join(peers, 'node_modules', name, 'package.json')
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version
  })
  if (isThere) return
  mkdirSync(peers, { recursive: true })
  writeFileSync(
    join(peers, 'package.json'),
    JSON.stringify({ name: 'bench-peers', private: true, dependencies: versions }),
  )
  execFileSync('npm', ['install', '--silent'], { cwd: peers, stdio: ['ignore', 2, 2] })
}

/** Builds the package unless the build is newer than all its sources. */
export const build = (): void => {
  const built = join(root, published)
  const sources = ['server', 'client', 'scenarios'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(root, folder, file),
    ),
  )
  const settings = readdirSync(root).filter((file) =>
    /^package\.json$|^tsconfig|\.config\.ts$/.test(file),
  )
  const newest = [...sources, ...settings.map((file) => join(root, file))]
    .filter((file) => !file.includes('node_modules'))
    .reduce((latest, file) => Math.max(latest, statSync(file).mtimeMs), 0)
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 2] })
}

const { NODE_ENV: _, ...asIs } = process.env
const peerEnv = { ...asIs, NODE_ENV: 'production', BENCH_PEERS: peers }

const scripted = (name: string, file: string): Contender => ({
  name,
  args: (algorithm) => [script(`servers/${file}`), algorithm],
  env: peerEnv,
  ready: (line) => JSON.parse(line) as Ready,
})

/** `start`, as a user types it, on free ports. */
export const startArgs = (cli: string, algorithm: Algorithm, ...more: string[]) => [
  cli,
  ...['start', '--port', '0', '--api-port', '0', '--algorithm', algorithm, '--json'],
  ...more,
]

const started = (name: string, cli: string): Contender => ({
  name,
  args: (algorithm) => startArgs(cli, algorithm),
  env: asIs,
  ready: (line) => readyOf(JSON.parse(line) as Started),
})

export const readyOf = ({ issuer, tenant, client_id, client_secret }: Started): Ready => ({
  token: `${issuer}/t/${tenant}/api/v1/oauth/token`,
  form: new URLSearchParams({
    grant_type: 'client_credentials',
    client_id,
    client_secret,
  }).toString(),
})

/** The published package, by which budgets are judged. */
export const ours = started('lumoauth-harness', published)
export const floor = scripted('floor', 'floor.mjs')
export const mockServer = scripted('oauth2-mock-server', 'oauth2-mock-server.mjs')
export const provider = scripted('oidc-provider', 'oidc-provider.mjs')

export const contenders: readonly Contender[] = [
  floor,
  mockServer,
  provider,
  ours,
  started('lumoauth-harness (sources)', 'scenarios/cli.ts'),
]

/** The published package as if it had never been started here: without Node's compile cache. */
export const firstStart = async (algorithm: Algorithm): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'lumoauth-bench-'))
  try {
    const env = { ...ours.env, NODE_COMPILE_CACHE: folder }
    const { server, firstTokenMs } = await running({ ...ours, env }, algorithm)
    await server.ends('SIGKILL')
    return firstTokenMs
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A server in a new process, its first token, and the time to both from its spawn. */
export const running = async (contender: Contender, algorithm: Algorithm) => {
  const server = new Process(contender.args(algorithm), { env: contender.env })
  try {
    const ready = contender.ready(await server.line('{'))
    await firstToken(ready)
    const firstTokenMs = performance.now() - server.startedAt
    return { server, ready, firstTokenMs, startCpuMs: server.cpu() * 1000 }
  } catch (failed) {
    await server[Symbol.asyncDispose]()
    throw failed
  }
}

/** `start` of the published package, with more options and environment. */
export const startedHarness = async (
  algorithm: Algorithm,
  more: readonly string[] = [],
  { flags = [], env = {} }: { flags?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
) => {
  const server = new Process([...flags, ...startArgs(published, algorithm, ...more)], {
    env: { ...asIs, ...env },
  })
  try {
    const summary = JSON.parse(await server.line('{')) as Started
    const control = async (method: string, path: string, body: object) => {
      const answer = await fetch(`${summary.issuer}/_harness${path}`, {
        method,
        headers: {
          authorization: `Bearer ${summary.control_token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      })
      const answered = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${answered}`)
      return JSON.parse(answered)
    }
    return { server, summary, ready: readyOf(summary), control }
  } catch (failed) {
    await server[Symbol.asyncDispose]()
    throw failed
  }
}

export const firstToken = async ({ token, form }: Ready): Promise<void> => {
  const connection = new Connection(token)
  try {
    const { status, body } = await connection.ask(
      'POST',
      new URL(token).pathname,
      'content-type: application/x-www-form-urlencoded\r\n',
      form,
    )
    if (status !== 200) throw new Error(`${token}: ${status} ${body}`)
  } finally {
    connection.close()
  }
}
