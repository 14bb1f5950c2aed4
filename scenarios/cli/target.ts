import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { UsageError } from '../../server/usage-error.ts'
import { inertText } from '../../server/wire/inert-text.ts'
import { accessOf, missingVariables, readTarget } from '../targets/real/access.ts'
import { probe } from '../targets/real/probe.ts'
import { RateLimitedFetch } from '../targets/real/rate-limited-fetch.ts'
import { Unreachable } from '../targets/real/unreachable.ts'
import { abortOnSignal } from './abort-on-signal.ts'
import type { TargetOptions } from './commands/target.ts'
import { schemaFile } from './find-scenarios.ts'
import { writeWholeFile } from './write-file.ts'

type Answers = { -readonly [K in Exclude<keyof TargetOptions, 'force'>]?: string | undefined }

/** `lumoauth-harness target init`. @returns the exit code */
export const initTarget = async (
  name: string,
  { force, ...given }: TargetOptions,
): Promise<number> => {
  if (existsSync(name) && !force) {
    throw new UsageError(`${name} exists; --force overwrites it`)
  }
  const answers: Answers = given
  if (answers.issuer === undefined && answers.api === undefined) await ask(answers)
  if (answers.issuer === undefined && answers.api === undefined) {
    throw new UsageError('give --issuer and --tenant, or --api with --route and --requires')
  }
  const text = draftTarget(answers, name)
  const { file, problems } = readTarget(name, text)
  if (file === undefined) {
    throw new UsageError(problems.map((it) => it.message).join('; '))
  }
  await writeWholeFile(name, text)
  process.stdout.write(`wrote ${name}\n`)
  if (file.issuer === undefined) return 0

  const missing = missingVariables(file, process.env)
  if (missing.length > 0) {
    process.stdout.write(
      `set ${missing.join(' and ')}, and then: lumoauth-harness check issuer --target ${name}\n`,
    )
    return 0
  }
  using signal = abortOnSignal()
  const access = accessOf(file, process.env)
  const http = new RateLimitedFetch({
    hosts: new Set([new URL(file.issuer.url).origin]),
    perMinute: 600,
    total: 100,
    timeout: 10,
    wait: 10,
    signal,
  })
  try {
    const { prefixes, lacks, notes } = await probe(access, (request) => http.send(request))
    const lines = [
      `${file.issuer.url} answers, at the prefix ${prefixes.join(' and ')}`,
      ...[...lacks.values()].map((it) => `but ${it}`),
      ...notes,
    ]
    process.stdout.write(`${inertText(lines.join('\n'))}\n`)
    return 0
  } catch (error) {
    if (error instanceof Unreachable) throw new UsageError(error.message)
    throw error
  }
}

const ask = async (answers: Answers) => {
  if (!process.stdin.isTTY) return
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    Object.assign(
      answers,
      await askForTarget(
        (text) => terminal.question(text),
        (line) => process.stdout.write(`${line}\n`),
      ),
    )
  } finally {
    terminal.close()
  }
}

type Question = Readonly<{
  key: keyof Answers
  text: string
  usual?: string
  isFine: (answer: string) => boolean
  expected: string
}>

const isOrigin = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash === ''
}
const isVariable = (text: string) => /^[A-Za-z_]\w*$/.test(text)
const variable = 'expected the name of an environment variable, such as'

const questions: readonly Question[] = [
  {
    key: 'issuer',
    text: 'Origin of the issuer',
    usual: 'https://app.lumoauth.dev',
    isFine: isOrigin,
    expected: 'expected a URL such as https://app.lumoauth.dev',
  },
  {
    key: 'tenant',
    text: 'Your organisation there (slug; nothing: an OAuth server without organisations)',
    isFine: (it) => /^[\w-]+$/.test(it),
    expected: 'expected a slug such as acme-corp, or nothing',
  },
  {
    key: 'clientIdEnv',
    text: 'Variable with the client id of your agent',
    usual: 'AGENT_CLIENT_ID',
    isFine: isVariable,
    expected: `${variable} AGENT_CLIENT_ID`,
  },
  {
    key: 'clientSecretEnv',
    text: 'Variable with its secret',
    usual: 'AGENT_CLIENT_SECRET',
    isFine: isVariable,
    expected: `${variable} AGENT_CLIENT_SECRET`,
  },
  {
    key: 'approverEnv',
    text: 'Variable with the token of an approver (or nothing)',
    isFine: isVariable,
    expected: `${variable} APPROVER_TOKEN, or nothing`,
  },
]

/** Asks each question until its answer can be used. */
export const askForTarget = async (
  ask: (text: string) => Promise<string>,
  say: (line: string) => void,
): Promise<Answers> => {
  const answers: Answers = {}
  for (const { key, text, usual = '', isFine, expected } of questions) {
    for (;;) {
      const said = (await ask(`${text}${usual === '' ? '' : ` [${usual}]`}: `)).trim() || usual
      answers[key] = said || undefined
      if (said === '' || isFine(said)) break
      say(`${expected}, received ${JSON.stringify(said)}`)
    }
  }
  return answers
}

const draftTarget = (answers: Answers, name: string): string => {
  const { issuer, tenant, agent, api, route, requires } = answers
  const schema = schemaFile('target.schema.json', join(name, '..'))
  const idVariable = answers.clientIdEnv ?? 'AGENT_CLIENT_ID'
  const secretVariable = answers.clientSecretEnv ?? 'AGENT_CLIENT_SECRET'
  const approver = answers.approverEnv
  const quoted = (text: string | undefined) => JSON.stringify(text ?? '')
  const ofIssuer =
    issuer === undefined
      ? ''
      : `issuer:
  url: ${quoted(issuer)}
${
  tenant === undefined
    ? `  prefix: none        # any OAuth server, by its metadata
  profile: oauth      # it does not claim to be LumoAuth
`
    : `  tenant: ${quoted(tenant)}
  prefix: auto        # tenant: /t/…, org: /orgs/…, none: any OAuth server, by its metadata
  # profile: oauth    # it does not claim to be LumoAuth
`
}agents:               # the first is the usual one; scenarios about two agents take a second
  - name: ${quoted(agent ?? process.env[idVariable] ?? 'my-agent')}
    client_id_env: ${idVariable}
    client_secret_env: ${secretVariable}
    # capabilities: [read:documents, write:reports]
    # may_delegate: true
${
  approver === undefined
    ? `# users:
#   - { email: approver@example.com, token_env: APPROVER_TOKEN, permissions: [jit.approve] }
approver: none        # token: one of users decides; manual: you are told what waits
`
    : `users:
  - { email: approver@example.com, token_env: ${approver}, permissions: [jit.approve] }
approver: token
`
}`
  const ofApi =
    api === undefined
      ? ''
      : `api:
  url: ${quoted(api)}
  routes:
    - request: ${quoted(route ?? 'GET /')}
      requires: ${requires ?? '{ type: file_access, actions: [read], identifier: doc_1 }'}
      # foreign: /the/same/route/for/another/resource
`
  return `# yaml-language-server: $schema=${schema}
#
# Secrets have no place here: …_env names the environment variable that holds one.
${ofIssuer}${ofApi}limits:
  requests_per_minute: 600
  requests: 5000
  wait: PT10S         # the longest real wait, where the mock would move time
# hosts: []           # hosts that may be talked to beside those above
# writes: [deny, register, streams, api, other]   # what --allow-writes allows
`
}
