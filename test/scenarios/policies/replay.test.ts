import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { replayJournal } from '../../../scenarios/policies/replay.ts'
import { replayMarkdown, replayText } from '../../../scenarios/policies/replay-text.ts'
import { JournalFile } from '../../../server/journal/file.ts'
import { addChecksum } from '../../../server/journal/line.ts'
import { Policy, TenantSeed } from '../../../server/wire/index.ts'
import { exporting, reading, world } from '../../server/issuer/world.ts'
import { workspace } from './world.ts'

const here = workspace()
afterAll(here.remove)

const day = 86_400
const november = fileURLToPath(new URL('../../server/journal/november.jsonl', import.meta.url))

/** Three days of a tenant: each a read that is approved, and an export that a person denies. */
const entriesOf = (days = 3) => {
  const world_ = world({ policy: { task_lifetime: 3600 } })
  for (let at = 0; at < days; at += 1) {
    const task = world_.open()
    world_.request(task.id, reading())
    world_.deny(world_.request(task.id, exporting()).id)
    world_.complete(task.id)
    world_.clock.advance(day)
    world_.tenant.happen([{ type: 'clock.moved', by: day }])
  }
  return { entries: world_.tenant.journal.after(0), policy: world_.state.policy }
}

const write = async (
  name: string,
  tenants: Readonly<Record<string, ReturnType<typeof entriesOf>>>,
  options = {},
) => {
  const path = join(here.folder, name)
  const file = await JournalFile.open(path, options)
  for (const [tenant, { entries }] of Object.entries(tenants)) {
    file.append({ tenant, opened: TenantSeed.parse({ tenant }) })
    for (const entry of entries) file.append({ tenant, entries: [entry] })
  }
  await file.durable()
  return { path, file }
}

const approveAll = Policy.parse({
  rules: [
    { name: 'reads are asked', when: { type: 'file_access' }, risk: 'low', decision: 'ask' },
    { name: 'all', risk: 'low', decision: 'approve' },
  ],
})

describe('a replayed journal', () => {
  it('is decided by the same policy as it was', async () => {
    const made = entriesOf()
    const { path, file } = await write('same.jsonl', { acme: made })

    const replay = await replayJournal(path, made.policy)

    await file.close()
    expect(replay).toMatchObject({ requests: 6, tenants: ['acme'], changes: [] })
    for (const { before, after } of replay.days) expect(after).toEqual(before)
  })

  it('tells for each day what another policy decides, and the prompts that are spared and given', async () => {
    const made = entriesOf()
    const { path, file } = await write('other.jsonl', { acme: made })

    const { days, changes } = await replayJournal(path, approveAll)

    await file.close()
    expect(days).toHaveLength(3)
    expect(days[1]).toEqual({
      day: '2027-01-16',
      before: { approve: 1, ask: 1, deny: 0 },
      after: { approve: 1, ask: 1, deny: 0 },
      spared: 1,
      given: 1,
    })
    expect(changes).toMatchObject([
      {
        count: 3,
        before: { rule: 'reads are approved', decision: 'approve' },
        after: { rule: 'reads are asked', decision: 'ask' },
        example: { authorization_details: reading(), agent: 'report-bot' },
      },
      { count: 3, before: { decision: 'ask' }, after: { rule: 'all', decision: 'approve' } },
    ])
  })

  it('is complete from its first entry, and after a compaction from its oldest record', async () => {
    const made = entriesOf(20)
    const { path, file } = await write('long.jsonl', { acme: made })
    const whole = await replayJournal(path, approveAll)
    await file.close()
    // Each start compacts: of all records, six are kept.
    const again = await JournalFile.open(path, { decidedRequests: 6, newestEntries: 4 })
    await again.close()

    const shortened = await replayJournal(path, approveAll)

    expect(whole).toMatchObject({ requests: 40, completeFrom: made.entries[0]?.at })
    expect(shortened.requests).toBeGreaterThanOrEqual(6)
    expect(shortened.requests).toBeLessThan(10)
    const since = shortened.completeFrom ?? 0
    const decidedSince = made.entries.filter(
      ({ type, at }) =>
        (type === 'permission.approved' || type === 'permission.denied') && at >= since,
    )
    const complete = shortened.days.filter(({ day }) => Date.parse(day) / 1000 > since)
    const counted = complete.reduce((sum, { before }) => sum + before.approve + before.ask, 0)
    expect(counted).toBe(decidedSince.length)
    // What is there has the numbers it had in the whole journal.
    for (const it of shortened.days.slice(1)) expect(whole.days).toContainEqual(it)
  })

  it('counts every tenant, or the one that is named, and none that was deleted', async () => {
    const { path, file } = await write('two.jsonl', { acme: entriesOf(1), other: entriesOf(2) })
    file.append({ tenant: 'gone', opened: TenantSeed.parse({ tenant: 'gone' }) })
    for (const entry of entriesOf(5).entries) file.append({ tenant: 'gone', entries: [entry] })
    file.append({ tenant: 'gone', deleted: true })
    await file.durable()

    const [all, other] = [
      await replayJournal(path, approveAll),
      await replayJournal(path, approveAll, 'other'),
    ]
    await expect(replayJournal(path, approveAll, 'gone')).rejects.toThrow(
      /two\.jsonl: there is no tenant "gone"; tenants are: acme, other$/,
    )

    await file.close()
    expect(all).toMatchObject({ requests: 6, tenants: ['acme', 'other'] })
    expect(all.days[0]).toMatchObject({ before: { approve: 2, ask: 2 }, spared: 2, given: 2 })
    expect(other).toMatchObject({ requests: 4, tenants: ['other'] })
  })

  it('may be of an older version, which left entries out', async () => {
    const path = join(here.folder, 'old.jsonl')
    copyFileSync(november, path)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const entriesIn = (line: string) =>
      (JSON.parse(line).entries ?? []) as { seq: number; at: number }[]
    const last = lines.findLastIndex((line) => entriesIn(line).length > 0)
    const { sum: _, ...value } = JSON.parse(lines[last] as string)
    const [entry] = value.entries
    const moved = { ...value, entries: [{ ...entry, seq: entry.seq + 50, at: entry.at + day }] }
    writeFileSync(path, `${lines.slice(0, last).join('\n')}\n${addChecksum(moved)}`)

    const whole = await replayJournal(november, approveAll)
    const { completeFrom } = await replayJournal(path, approveAll)

    expect(whole.requests).toBe(6)
    expect(completeFrom).toBe(entry.at + day + 1)
  })

  it('is left as it is', async () => {
    const before = readFileSync(november, 'utf8')

    await replayJournal(november, approveAll)

    expect(readFileSync(november, 'utf8')).toBe(before)
  })

  it('takes little memory for many requests', { timeout: 120_000 }, async () => {
    const path = join(here.folder, 'many.jsonl')
    writeFileSync(path, await manyRecords(20_000))

    const replay = await replayJournal(path, approveAll)

    expect(replay.requests).toBe(20_000)
    expect(replay.days.reduce((sum, it) => sum + it.spared, 0)).toBe(10_000)
  })
})

/** A compacted journal with so many records. */
const manyRecords = async (count: number) => {
  const { path, file } = await write('seed.jsonl', { acme: entriesOf(2) })
  await file.close()
  await (await JournalFile.open(path, { newestEntries: 0 })).close()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const records = lines.filter((line) => line.includes('"decided":'))
  const others = lines.filter((line) => !line.includes('"decided":'))
  const many = Array.from({ length: count }, (_, at) => {
    const { sum: _sum, ...line } = JSON.parse(records[at % records.length] as string)
    line.decided.facts.now += at * 60
    line.decided.outcome.at += at * 60
    return addChecksum(line)
  })
  return `${others.join('\n')}\n${many.join('')}`
}

describe('policy replay', { timeout: 60_000 }, () => {
  const file = here.file('policy.yaml', 'rules: [{ name: all, risk: low, decision: approve }]\n')

  it('prints a table and a chart of the days, and what is otherwise', () => {
    const { status, stdout } = here.policy('replay', '--journal', november, '--policy', file)

    expect(status).toBe(0)
    expect(
      stdout,
    ).toBe(`6 decided requests of the tenant acme: 2 prompts spared, 0 given; complete for what was decided since 2026-01-01T00:00:00.000Z

day         before: approved  asked  denied  after: approved  asked  denied  spared  given
2026-01-01                 1      0       0                1      0       0       0      0
2026-01-02                 3      2       0                5      0       0       2      0
total                      4      2       0                6      0       0       2      0

█ approved  ▒ asked  · denied
2026-01-01 before ████████████
           after  ████████████
2026-01-02 before ████████████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
           after  ████████████████████████████████████████████████████████████

decided otherwise:
  2 × ask → approve: "personal data, payments and credentials wait for a human" → "all"
    such as { authorization_details: { type: user_data, actions: [read], identifier: ada }, agent: report-bot, justification: "to know", score: 6, requests_last_minute: 2, at: "2026-01-02T00:00:00.000Z" }
`)
  })

  it('writes Markdown and JSON', () => {
    const { status } = here.policy(
      ...['replay', '--journal', november, '--policy', file],
      ...['--report', 'markdown=replay.md', '--report', 'json=replay.json'],
    )

    expect(status).toBe(0)
    expect(readFileSync(join(here.folder, 'replay.md'), 'utf8')).toContain(
      '| 2026-01-02 | 3 | 2 | 0 | 5 | 0 | 0 | 2 | 0 |',
    )
    expect(JSON.parse(readFileSync(join(here.folder, 'replay.json'), 'utf8'))).toMatchObject({
      requests: 6,
      changes: [{ count: 2 }],
    })
  })

  it('says so where nothing was decided', () => {
    const empty = { requests: 0, tenants: [], days: [], changes: [] }

    expect(replayText(empty)).toBe('0 decided requests of 0 tenants: 0 prompts spared, 0 given\n')
    expect(replayMarkdown(empty)).not.toContain('|')
  })

  it('tells what is wrong with a journal, a policy or the command line', () => {
    const told = (...args: string[]) => {
      const { status, stderr } = here.policy('replay', ...args)
      expect(status).toBe(2)
      return stderr
    }
    const text = readFileSync(november, 'utf8')
    const corrupt = here.file('corrupt.jsonl', text.replace('report-bot', 'report-bat'))
    const newer = here.file('newer.jsonl', addChecksum({ format: 99 }))
    here.file('bad.yaml', 'rules: []\n')

    expect(told('--policy', file, '--journal', 'none.jsonl')).toContain('there is no none.jsonl')
    expect(told('--policy', file, '--journal', corrupt)).toMatch(
      /corrupt\.jsonl:1: expected a line of a lumoauth-harness journal/,
    )
    expect(told('--policy', file, '--journal', newer)).toContain(
      'newer.jsonl: format 99 is newer than this program',
    )
    expect(told('--policy', 'bad.yaml', '--journal', november)).toContain('bad.yaml:1:8: ')
    expect(told('--policy', file)).toContain("required option '--journal <file>' not specified")
    expect(told('--policy', file, '--journal', november, '--tennant', 'x')).toContain(
      'Did you mean --tenant?',
    )
    expect(told('--policy', file, '--journal', november, '--tenant', 'x')).toContain(
      'there is no tenant "x"; tenants are: acme',
    )
  })
})
