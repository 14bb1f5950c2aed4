import {
  chmodSync,
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
import { writeWholeFile } from '../../../scenarios/cli/write-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-file-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('writing a whole file', () => {
  it('replaces a link and does not write where it leads', async () => {
    const victim = join(folder, 'victim')
    const report = join(folder, 'report.html')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, report)

    await writeWholeFile(report, 'report')

    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(lstatSync(report).isSymbolicLink()).toBe(false)
    expect(readFileSync(report, 'utf8')).toBe('report')
  })

  it('replaces a link that leads nowhere, and creates nothing there', async () => {
    const nowhere = join(folder, 'nowhere')
    const report = join(folder, 'report.html')
    symlinkSync(nowhere, report)

    await writeWholeFile(report, 'report')

    expect(existsSync(nowhere)).toBe(false)
    expect(readFileSync(report, 'utf8')).toBe('report')
  })

  it('makes the folders, keeps the mode of the file that was there, and leaves no draft', async () => {
    const report = join(folder, 'a', 'b', 'report.html')
    await writeWholeFile(report, 'first')
    chmodSync(report, 0o600)

    await writeWholeFile(report, 'second')

    expect(readFileSync(report, 'utf8')).toBe('second')
    expect(statSync(report).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['report.html'])
  })

  it('refuses a folder, and leaves no draft', async () => {
    await expect(writeWholeFile(folder, 'text')).rejects.toThrow(/EISDIR|EEXIST|ENOTEMPTY/)

    expect(readdirSync(join(folder, '..')).filter((it) => it.startsWith(`${folder}.`))).toEqual([])
  })

  it('writes to a device as it is', async () => {
    await writeWholeFile('/dev/null', 'text')

    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
  })
})
