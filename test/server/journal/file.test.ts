import {
  appendFileSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalError } from '../../../server/journal/error.ts'
import { JournalFile } from '../../../server/journal/file.ts'
import { addChecksum } from '../../../server/journal/line.ts'
import { TenantSeed } from '../../../server/wire/index.ts'

const seed = TenantSeed.parse({ tenant: 'acme' })
const entry = (seq: number) =>
  ({ seq, at: 1000 + seq, type: 'task.completed', taskId: `t${seq}` }) as const

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
  path = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a journal file', () => {
  it('is locked against a second process', async () => {
    const first = await JournalFile.open(path)

    await expect(JournalFile.open(path)).rejects.toThrow(`in use by process ${process.pid}`)

    await first.close()
  })

  describe('with a lock left behind', () => {
    const left = async (other: Record<string, unknown>, secondsAgo = 0) => {
      const before = await JournalFile.open(path)
      const lock = JSON.parse(readFileSync(`${path}.lock`, 'utf8'))
      await before.close()
      writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, ...other }))
      const then = Date.now() / 1000 - secondsAgo
      utimesSync(`${path}.lock`, then, then)
    }

    it.each([
      ['by a process that is gone', { pid: 999_999_999 }, 0],
      ['by one whose number is another’s now, as in a container', { started: 'earlier' }, 0],
      ['by one that cannot be seen, and gives no sign of life', { among: 'elsewhere' }, 20],
    ])('is taken over: %s', async (_, other, secondsAgo) => {
      await left(other, secondsAgo)

      const file = await JournalFile.open(path)

      expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({ pid: process.pid })
      await file.close()
    })

    it('stays locked while an invisible process keeps the lock file fresh', async () => {
      await left({ among: 'elsewhere' }, 1)

      await expect(JournalFile.open(path)).rejects.toThrow('in use')
    })
  })

  it('with a corrupt line is rejected with the line number, and stays unchanged', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    await file.close()
    appendFileSync(path, 'garbage\n')
    const before = readFileSync(path, 'utf8')

    await expect(JournalFile.open(path)).rejects.toThrow(`${path}:3: expected a line`)

    expect(readFileSync(path, 'utf8')).toBe(before)
    await expect(JournalFile.open(path)).rejects.toThrow(JournalError)
  })

  it('drops an incomplete last line with a warning', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    file.append({ tenant: 'acme', entries: [entry(1)] })
    await file.close()
    appendFileSync(path, '{"tenant":"acme","entry":{"seq":2,"at"')

    const warnings: string[] = []
    const again = await JournalFile.open(path, {}, (message) => warnings.push(message))

    expect(warnings).toEqual([`${path}:4: dropped a last line that was cut off`])
    expect(again.take('acme')?.history.entries).toEqual([entry(1)])
    await again.close()
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4)
  })

  it('with events of a tenant that was never created is rejected', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', entries: [entry(1)] })
    await file.close()

    await expect(JournalFile.open(path)).rejects.toThrow('was never opened')
  })

  it('with one changed bit in a line is rejected', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    file.append({ tenant: 'acme', entries: [entry(1)] })
    await file.close()
    writeFileSync(path, readFileSync(path, 'utf8').replace('"taskId":"t1"', '"taskId":"t0"'))

    await expect(JournalFile.open(path)).rejects.toThrow(`${path}:3: expected a line`)
  })

  it('with entries out of order or of an unknown kind is rejected', async () => {
    const opened = { tenant: 'acme', opened: seed } as const
    const nonsense = { ...entry(1), type: 'task.opened' } as unknown as ReturnType<typeof entry>
    for (const [entries, complaint] of [
      [[entry(2), entry(1)], 'entry 1 is out of order'],
      [[nonsense], 'makes no sense'],
    ] as const) {
      const file = await JournalFile.open(path)
      file.append(opened)
      file.append({ tenant: 'acme', entries })
      await file.close()

      await expect(JournalFile.open(path)).rejects.toThrow(complaint)
      rmSync(path)
    }
  })

  it('is never opened in place of a folder, and never replaces a symbolic link', async () => {
    await expect(JournalFile.open(folder)).rejects.toThrow('is not a file')
    symlinkSync(path, `${path}.link`)
    writeFileSync(path, '')

    const file = await JournalFile.open(`${path}.link`)

    expect(lstatSync(`${path}.link`).isSymbolicLink()).toBe(true)
    await file.close()
  })

  it('forgets a tenant that was only being created', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    await file.close()

    const again = await JournalFile.open(path)

    expect(again.slugs).toEqual([])
    await again.close()
  })

  it('keeps only the last version of a document', async () => {
    const document = (id: string, version: number) => ({
      id,
      version,
      title: id,
      classification: 'public' as const,
      body: 'text',
      updated_at: '2026-01-01T00:00:00Z',
      updated_by: 'agt_bot',
    })
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    file.append({ tenant: 'acme', entries: [entry(1)] })
    for (const id of ['a', 'b'])
      file.append({ tenant: 'acme', change: { document: document(id, 1) } })
    file.append({ tenant: 'acme', change: { document: document('a', 2) } })
    file.append({ tenant: 'acme', change: { deleted: 'b' } })
    await file.close()

    const again = await JournalFile.open(path)

    expect([...(again.take('acme')?.changes.values() ?? [])]).toEqual([
      { document: document('a', 2) },
    ])
    await again.close()
  })

  it('has appended entries on disk once durable() resolves', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    const many = Array.from({ length: 500 }, async (_, at) => {
      file.append({ tenant: 'acme', entries: [entry(at + 1)] })
      await file.durable()
      return readFileSync(path, 'utf8').includes(`"seq":${at + 1},`)
    })

    expect(await Promise.all(many)).not.toContain(false)

    await file.close()
  })

  it('drops a deleted tenant', async () => {
    const file = await JournalFile.open(path)
    file.append({ tenant: 'acme', opened: seed })
    file.append({ tenant: 'acme', entries: [entry(1)] })
    file.append({ tenant: 'acme', deleted: true })
    await file.close()

    const again = await JournalFile.open(path)

    expect(again.slugs).toEqual([])
    expect(readFileSync(path, 'utf8')).toBe(addChecksum({ format: 2 }))
    await again.close()
  })

  it('refuses entries that would exceed maxBytes, and keeps its content', async () => {
    const file = await JournalFile.open(path, { maxBytes: 4000 })
    file.append({ tenant: 'acme', opened: seed })
    const fill = () => {
      for (let seq = 1; seq < 100; seq += 1) file.append({ tenant: 'acme', entries: [entry(seq)] })
    }

    expect(fill).toThrow('cannot be written: it would be larger than 4000 bytes')
    expect(() => file.append({ tenant: 'acme', deleted: true })).toThrow(JournalError)

    await expect(file.close()).rejects.toThrow(JournalError)
    const again = await JournalFile.open(path, { maxBytes: 4000 })
    expect(again.take('acme')?.history.entries.length).toBeGreaterThan(5)
    await again.close()
  })
})
