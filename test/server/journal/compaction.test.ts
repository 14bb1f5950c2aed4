import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalFile } from '../../../server/journal/file.ts'
import { addChecksum, readChecked } from '../../../server/journal/line.ts'
import { replaceFile } from '../../../server/journal/replace.ts'
import { type Document, TenantSeed } from '../../../server/wire/index.ts'
import { exporting, reading, world } from '../issuer/world.ts'

const seed = TenantSeed.parse({ tenant: 'acme' })

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'compaction-'))
  path = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const document = (version: number): Document => ({
  id: 'doc_1',
  version,
  title: 'title',
  classification: 'public',
  body: 'x'.repeat(1000),
  updated_at: '2026-01-01T00:00:00Z',
  updated_by: 'agt_bot',
})

/** What a tenant does, one task an hour, and its state at the end. */
const worked = (tasks: number) => {
  const here = world({ policy: { task_lifetime: 3600 } })
  for (let times = 0; times < tasks; times += 1) {
    const task = here.open()
    here.exchange(here.request(task.id, reading()).id)
    here.deny(here.request(task.id, exporting()).id)
    here.complete(task.id)
    here.clock.advance(3600)
    here.tenant.happen([{ type: 'clock.moved', by: 3600 }])
  }
  return { state: here.tenant.state, entries: here.tenant.journal.after(0) }
}

const textOf = () => readFileSync(path, 'utf8')
const linesOf = () =>
  textOf()
    .trimEnd()
    .split('\n')
    .map((line) => readChecked(line) as Record<string, unknown>)
const decidedIn = () => linesOf().flatMap(({ decided }) => (decided ? [decided] : []))

describe('a growing journal', () => {
  it('is compacted each time its size has doubled, without loss', async () => {
    const options = { compactAbove: 20_000, newestEntries: 10 }
    const file = await JournalFile.open(path, options)
    const { state, entries } = worked(15)
    file.append({ tenant: 'acme', opened: seed })
    let largest = 0
    for (const [at, entry] of entries.entries()) {
      file.append({ tenant: 'acme', entries: [entry] })
      file.append({ tenant: 'acme', change: { document: document(at + 1) } })
      await file.durable()
      expect(textOf()).toContain(`"seq":${entry.seq},`)
      largest = Math.max(largest, statSync(path).size)
    }
    await file.close()

    expect(largest).toBeLessThan(120_000)
    const again = await JournalFile.open(path, options)
    const past = again.take('acme')
    expect(past?.history.state).toEqual(state)
    expect(past?.history.last).toBe(entries.at(-1)?.seq)
    expect([...(past?.changes.values() ?? [])]).toEqual([{ document: document(entries.length) }])
    await again.close()
    expect(readdirSync(folder)).toEqual(['journal.jsonl'])
  })

  it('keeps a tenant that is still being created, and drops a deleted one', async () => {
    const file = await JournalFile.open(path, { compactAbove: 2000 })
    file.append({ tenant: 'gone', opened: seed })
    file.append({ tenant: 'gone', entries: worked(1).entries })
    file.append({ tenant: 'gone', deleted: true })
    file.append({ tenant: 'acme', opened: seed })
    await file.durable()
    await expect.poll(textOf).not.toContain('gone')
    for (const entry of worked(1).entries) file.append({ tenant: 'acme', entries: [entry] })
    await file.close()

    const again = await JournalFile.open(path)

    expect(again.slugs).toEqual(['acme'])
    await again.close()
  })

  it('never exceeds maxBytes while it is compacted, however often a document is rewritten', async () => {
    const maxBytes = 200_000
    const file = await JournalFile.open(path, { compactAbove: 50_000, maxBytes })
    file.append({ tenant: 'acme', opened: seed })
    for (let version = 1; version <= 600; version += 1) {
      file.append({ tenant: 'acme', change: { document: document(version) } })
      if (version % 5 === 0) await file.durable()
    }

    expect(statSync(path).size).toBeLessThan(maxBytes)
    await file.close()
  })

  it('continues uncompacted after a failed compaction, and logs why', async () => {
    const warnings: string[] = []
    const file = await JournalFile.open(path, { compactAbove: 1000 }, (it) => warnings.push(it))
    const { entries } = worked(5)
    file.append({ tenant: 'acme', entries })
    await file.durable()
    await expect.poll(() => warnings).toHaveLength(1)
    file.append({ tenant: 'acme', deleted: true })

    await file.close()

    expect(warnings[0]).toMatch(/^the journal .* was not compacted: .*never opened$/)
    expect(textOf()).toContain('"deleted":true')
  })
})

describe('a journal that is nearly full', () => {
  it('warns once, at 80 %, also at start', async () => {
    const warnings: string[] = []
    const open = () => JournalFile.open(path, { maxBytes: 20_000 }, (it) => warnings.push(it))
    const file = await open()
    file.append({ tenant: 'acme', opened: seed })
    file.append({ tenant: 'acme', entries: worked(1).entries })
    for (let at = 0; statSync(path).size < 16_500; at += 1) {
      file.append({ tenant: 'acme', change: { document: { ...document(1), id: `doc_${at}` } } })
      await file.durable()
    }
    const before = warnings.length
    await file.close()

    const again = await open()

    expect([before, warnings.length]).toEqual([1, 2])
    expect(warnings[0]).toMatch(/^the journal .* has \d+ of at most 20000 bytes; once it is full/)
    await again.close()
  })
})

describe('the records of decided requests in a journal', () => {
  const written = async (decidedRequests: number, slugs: readonly [string, number][]) => {
    const options = { newestEntries: 4, decidedRequests }
    const file = await JournalFile.open(path, options)
    for (const [tenant, tasks] of slugs) {
      file.append({ tenant, opened: seed })
      file.append({ tenant, entries: worked(tasks).entries })
    }
    await file.close()
    return () => JournalFile.open(path, options).then((again) => again.close())
  }

  it('survive any number of compactions', async () => {
    const reopen = await written(100, [['acme', 5]])
    await reopen()
    const once = decidedIn()

    await reopen()

    // The newest four entries hold the denial of the last task, which needs no record yet.
    expect(once.length).toBeGreaterThanOrEqual(9)
    expect(decidedIn()).toEqual(once)
  })

  it('are the newest ones; a tenant with many leaves space for tenants with few', async () => {
    const reopen = await written(10, [
      ['many', 50],
      ['few', 2],
    ])
    await reopen()

    const counts = { many: 0, few: 0 }
    for (const line of linesOf()) {
      if ('decided' in line) counts[line.tenant as keyof typeof counts] += 1
    }
    expect(counts.few).toBeGreaterThanOrEqual(3)
    expect(counts.few + counts.many).toBe(10)
  })
})

describe('replacing a file', () => {
  it('writes under an unpredictable name and follows no symbolic link', () => {
    const victim = join(folder, 'victim.txt')
    writeFileSync(victim, 'mine', { mode: 0o644 })
    symlinkSync(victim, `${path}.keys.new`)
    symlinkSync(victim, `${path}.keys`)

    replaceFile(`${path}.keys`, 'secret')

    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect(lstatSync(`${path}.keys`).isSymbolicLink()).toBe(false)
    expect(statSync(`${path}.keys`).mode & 0o777).toBe(0o600)
    expect(readFileSync(`${path}.keys`, 'utf8')).toBe('secret')
  })

  it('deletes the temporary files of a process that was killed', async () => {
    const left = ['.0123456789abcdef.new', '.keys.0123456789abcdef.new', '.new'].map(
      (end) => path + end,
    )
    for (const file of [...left, `${path}.mine.new`]) writeFileSync(file, '')

    const file = await JournalFile.open(path)

    expect(left.filter((it) => existsSync(it))).toEqual([])
    expect(existsSync(`${path}.mine.new`)).toBe(true)
    await file.close()
  })
})

describe('a journal of another format', () => {
  it('that is newer is rejected and stays unchanged', async () => {
    const text = `${addChecksum({ format: 3 })}{"what":"ever"}\n`
    writeFileSync(path, text)

    await expect(JournalFile.open(path)).rejects.toThrow(
      `${path}: format 3 is newer than this program, which reads up to format 2`,
    )

    expect(textOf()).toBe(text)
    expect(readdirSync(folder)).toEqual(['journal.jsonl'])
  })
})
