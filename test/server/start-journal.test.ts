import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lumoauthHarness } from '../support/running.ts'

let folder: string
let journal: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-journal-'))
  journal = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = () =>
  lumoauthHarness(['start', '--json', '--port', '0', '--api-port', '0', '--journal', journal])

describe('start --journal', () => {
  it('refuses a file that another process has, in one line', async () => {
    await using first = start()
    await first.prints('stdout', /\n/)
    await using second = start()

    expect(await second.ends()).toBe(2)

    expect(second.stderr).toMatch(
      /^lumoauth-harness start: the journal .* in use by process \d+.*\n$/,
    )
  }, 30_000)

  it('goes on after SIGKILL, and says that it dropped a line that was cut off', async () => {
    await using first = start()
    await first.prints('stdout', /\n/)
    first.signal('SIGKILL')
    await first.ends()
    appendFileSync(journal, '{"sum":"')

    await using second = start()

    await second.prints('stdout', /\n/)
    expect(second.stderr).toMatch(/journal\.jsonl:\d+: dropped a last line that was cut off\n$/)
  }, 30_000)
})
