import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../CONTRIBUTING.md', import.meta.url), 'utf8')
const exists = (path: string) => existsSync(new URL(`../${path}`, import.meta.url))

describe('CONTRIBUTING', () => {
  it('names folders that exist', () => {
    const [, table = ''] = page.split('## Where things are')
    const rows = table.split('\n## ')[0]?.match(/^\| `[^|]+/gm) ?? []
    const folders = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, it]) => it ?? ''))

    expect(folders.length).toBeGreaterThan(20)
    expect(folders.filter((it) => !exists(it))).toEqual([])
  })

  it('has three journeys through at most 25 files each, all of which exist', () => {
    const [, part = ''] = page.split('## Three journeys')
    const journeys = (part.split('\n## ')[0] ?? '')
      .split('\n### ')
      .slice(1)
      .map((text) =>
        [...text.matchAll(/`([\w-]+(?:\/[\w.-]+)+\.(?:ts|yaml))`/g)].map(([, it]) => it ?? ''),
      )

    expect(journeys).toHaveLength(3)
    for (const files of journeys) {
      expect(files.length).toBeGreaterThan(10)
      expect(files.length).toBeLessThanOrEqual(25)
      expect(files.filter((it) => !exists(it))).toEqual([])
    }
  })
})

describe('test/README', () => {
  it('names tests that exist', () => {
    const tests = readFileSync(new URL('README.md', import.meta.url), 'utf8')
    const named = [...tests.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, it]) => it)

    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((it) => !exists(`test/${it}`))).toEqual([])
  })
})
