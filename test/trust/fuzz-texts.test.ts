import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readScenario } from '../../scenarios/language/load.ts'
import { createHarness } from '../../server/index.ts'
import { JournalError } from '../../server/journal/error.ts'
import { FileStore } from '../../server/journal/file-store.ts'
import { configuration } from '../../server/start/configuration.ts'
import { UsageError } from '../../server/usage-error.ts'
import {
  encodeChallenge,
  encodeRemediation,
  MalformedChallenge,
  readChallenge,
  readChallengeBody,
} from '../../server/wire/challenge.ts'
import { figure } from '../support/figure.ts'
import { pick, type Random, scrambled, text } from './garbage.ts'
import { randomFrom, size } from './sizes.ts'

const texts = size('FUZZ_TEXTS', 2_000, 100_000)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

/** Milliseconds of its thread that nothing here may take, whoever else shares the processor. */
const patience = 3_000

/** What a reader does with each text; whatever it throws beyond `mayThrow` is a bug. */
const reads = async (
  what: string,
  make: (random: Random) => string,
  read: (text: string) => unknown,
  mayThrow: readonly (abstract new (...args: never[]) => Error)[] = [],
) => {
  const random = randomFrom(seed)
  let refused = 0
  let slowest = 0
  for (let count = 0; count < texts; count += 1) {
    const input = make(random)
    const start = process.threadCpuUsage()
    try {
      await read(input)
    } catch (thrown) {
      refused += 1
      const told = `seed ${seed}: ${String(thrown).slice(0, 300)} for ${JSON.stringify(input).slice(0, 2000)}`
      expect(
        mayThrow.some((type) => thrown instanceof type),
        told,
      ).toBe(true)
    }
    const { user, system } = process.threadCpuUsage(start)
    const took = (user + system) / 1000
    slowest = Math.max(slowest, took)
    expect(took, `seed ${seed}: ${JSON.stringify(input).slice(0, 500)}`).toBeLessThan(patience)
  }
  figure(`garbage to ${what}`, {
    texts,
    refused,
    'other errors': 0,
    'slowest in ms of CPU': Math.round(slowest),
    seed,
  })
}

const scenario = `scenario: A challenge tells the agent what to ask for
covers: [LUMO-CHALLENGE-1]
given:
  documents:
    - { id: doc_1, title: Q4, classification: confidential, body: Revenue rose 12 %. }
steps:
  - open_task: { name: analysis }
  - call: GET /v1/documents/doc_1
    expect: { status: 403, challenge: { type: file_access } }
    save: { needed: challenge }
  - request_permission: { details: '\${needed}' }
  - advance: PT5M
  - complete_task: {}
`

const config = `tenant: acme
clock: 2026-01-01T00:00:00Z
agents: [{ name: bot, client_secret: long-enough, capabilities: [read:documents] }]
users: [{ email: ada@example.com, permissions: [jit.approve] }]
policy:
  rules:
    - { name: all, when: { type: [file_*], time: { from: "09:00", to: "17:00" } }, risk: low, decision: approve }
documents: [{ id: a, title: A, body: text, classification: public }]
`

const bombs = [
  `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((it, at) => `${it}: &${it} [${Array(9).fill(`*${'abcdefghi'[at]}`).join(',')}]`)
    .join('\n')}`,
  '['.repeat(20_000),
  '{a: '.repeat(5_000),
  '- '.repeat(20_000),
  '? '.repeat(5_000),
  `${'{? '.repeat(3_000)}${'}'.repeat(3_000)}`,
  '&a '.repeat(2_000),
  'a: &x { b: *x }',
  '!!binary "x"',
  '%YAML 9.9\n---\n',
  '<<: *nothing',
  '__proto__: { polluted: yes }',
  'scenario: !!js/function "x"',
]

const broken = (random: Random, whole: string) => {
  const dice = random()
  if (dice < 0.05) return text(random, 500)
  return dice < 0.08 ? pick(random, bombs) : scrambled(random, whole)
}

describe('garbage is refused in words, and soon:', () => {
  it('by the loader of scenarios', () =>
    reads(
      'the loader of scenarios',
      (random) => broken(random, scenario),
      (it) => {
        if (readScenario('x.yaml', it).problems.length > 0) throw new UsageError('it has problems')
      },
      [UsageError],
    ))

  it('by the reader of configuration files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
    const file = join(folder, 'config.yaml')
    await reads(
      'the reader of configuration files',
      (random) => broken(random, config),
      (it) => {
        writeFileSync(file, it)
        return configuration({ config: file })
      },
      [UsageError],
    )
    rmSync(folder, { recursive: true })
  })

  it('by the decoder of challenges', () => {
    const detail = { type: 'file_access', actions: ['read'], identifier: 'doc_1' }
    const lumo = encodeChallenge(detail)
    const remediation = encodeRemediation({ authorization_details: [detail] })
    const bearer = `Bearer error="insufficient_authorization", authorization_remediation="${remediation}"`
    const json = JSON.stringify({
      error: 'insufficient_authorization_details',
      authorization_details: [detail],
    })
    const encoded = (random: Random) =>
      Buffer.from(scrambled(random, JSON.stringify(detail))).toString('base64')
    return reads(
      'the decoder of challenges',
      (random) =>
        pick(random, [
          () => scrambled(random, lumo),
          () => scrambled(random, bearer),
          () => encoded(random),
          () => scrambled(random, json),
          () => text(random, 5000),
          () => Buffer.from('['.repeat(3000)).toString('base64'),
        ])(),
      (it) => {
        const get = () => it
        const seen = [
          () => readChallenge(403, { get }),
          () => readChallenge(401, { get: (name) => (name === 'www-authenticate' ? it : null) }),
          () => readChallengeBody(jsonIn(it)),
        ].map((read) => {
          try {
            return read()
          } catch (thrown) {
            return thrown
          }
        })
        for (const one of seen) if (one instanceof Error) throw one
      },
      [MalformedChallenge],
    )
  })

  it('by the reader of journals and of the keys beside them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
    const journal = join(folder, 'journal.jsonl')
    const harness = await createHarness({
      listen: false,
      journal,
      algorithm: 'ES256',
      tenants: [{ tenant: 'acme' }],
    })
    await harness.close()
    const [whole, keys] = [readFileSync(journal, 'utf8'), readFileSync(`${journal}.keys`, 'utf8')]
    await reads(
      'the reader of journals',
      (random) => (random() < 0.8 ? `j${scrambled(random, whole)}` : `k${scrambled(random, keys)}`),
      async (it) => {
        writeFileSync(journal, it.startsWith('j') ? it.slice(1) : whole)
        writeFileSync(`${journal}.keys`, it.startsWith('k') ? it.slice(1) : keys)
        const store = await FileStore.open(journal, 'ES256')
        try {
          for (const slug of store.slugs()) store.kept(slug)
        } finally {
          await store.close()
        }
      },
      [JournalError],
    )
    rmSync(folder, { recursive: true })
  })
})

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
