import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rulesFile, suiteFolder } from '../../../scenarios/cli/find-scenarios.ts'
import { readRules } from '../../../scenarios/runner/rules.ts'
import { loadContract } from '../../../server/contract-file.ts'
import { isSource, linksOf, readContract } from '../../../server/wire/contract.ts'
import { dialects } from '../../../server/wire/dialect.ts'
import { type Route, routes } from '../../../server/wire/index.ts'
import { root } from '../../support/running.ts'

const contract = await loadContract()
const rulesOf = async (file: string) => {
  const { catalogue } = readRules(file, await readFile(file, 'utf8'))
  return [...catalogue.rules.values()].map(({ id, source }) => [id, source] as const)
}
const sources: readonly (readonly [string, string])[] = [
  ...(await rulesOf(rulesFile())),
  ...(await rulesOf(join(suiteFolder(), '../agent-suite/rules.yaml'))),
  ...Object.entries<Route>(routes).map(([name, { source }]) => [name, source] as const),
  ...Object.entries(dialects).map(([name, { source }]) => [name, source] as const),
]

describe('CONTRACT.md', () => {
  it.for(sources)('has the source of %s', ([, source]) => {
    expect(isSource(source), source).toBe(true)
    for (const { text, anchor } of linksOf(source)) {
      if (anchor !== undefined) expect([...contract.keys()], text).toContain(anchor)
    }
  })

  it('is the source of more than 200 rules, and each of its paragraphs is cited or cites', () => {
    const cited = new Set(sources.flatMap(([, source]) => linksOf(source).map((it) => it.anchor)))
    const idle = [...contract.values()].filter(
      ({ anchor, text }) => !cited.has(anchor) && !/^Sources: /m.test(text),
    )

    expect(sources.filter(([, it]) => it.includes('CONTRACT.md')).length).toBeGreaterThan(300)
    expect(idle.map((it) => it.title)).toEqual([])
  })

  it('names sources in each paragraph about LumoAuth', () => {
    const without = [...contract.values()].filter(
      ({ section, text }) =>
        section !== 'Decisions of this package' && !/^Sources: \S.*\.$/ms.test(text),
    )

    expect(without.map((it) => it.title)).toEqual([])
  })

  it('has every paragraph that a file of the package links', async () => {
    const files = globSync('{server,client,scenarios,test}/**/*.{ts,yaml,md}', { cwd: root })
    const dead: string[] = []
    for (const file of files.filter((it) => !it.endsWith('contract.test.ts'))) {
      const text = await readFile(join(root, file), 'utf8')
      for (const [, anchor = ''] of text.matchAll(/CONTRACT\.md#([\w-]+)/g)) {
        if (!contract.has(anchor) && anchor !== 'PARAGRAPH') dead.push(`${file}: ${anchor}`)
      }
      for (const [hidden] of text.matchAll(/\b(?:contract|design|dossier),? §\d+|dossier §/g)) {
        dead.push(`${file}: ${hidden}`)
      }
    }

    expect(dead).toEqual([])
  })

  it.for([
    'contract §2.1',
    'CONTRACT.md',
    'RFC 8693, §2.1',
    'CONTRACT.md#tasks, CONTRACT.md#scopes',
    'design §4',
    'RFC 8693 §2.1; design §4',
    'see RFC 8693',
    '',
  ])('does not take "%s" for a source', (source) => {
    expect(isSource(source)).toBe(false)
  })

  it('is read by its headings', () => {
    const text = 'Says `so`.\nNot x ### A heading.\n####  Nor this.'
    const read = readContract(
      `# All\n\n### Before\n\n## Part\n\n### A (small) thing\n\n${text}\n\n### Last\nend`,
    )

    expect([...read.values()]).toEqual([
      { anchor: 'before', title: 'Before', section: '', text: '', line: 3 },
      {
        anchor: 'a-small-thing',
        title: 'A (small) thing',
        section: 'Part',
        text,
        line: 7,
      },
      { anchor: 'last', title: 'Last', section: 'Part', text: 'end', line: 13 },
    ])
  })
})

describe('links of a source', () => {
  it('leads to the paragraph, the clause of an RFC, or the draft', () => {
    expect(linksOf('CONTRACT.md#tasks; RFC 8693 §2.1, §2.2; SSF 1.0 §8; draft-a-b-04 §1')).toEqual([
      { text: 'CONTRACT.md#tasks', anchor: 'tasks' },
      { text: 'RFC 8693 §2.1, §2.2', url: 'https://www.rfc-editor.org/rfc/rfc8693#section-2.1' },
      { text: 'SSF 1.0 §8' },
      { text: 'draft-a-b-04 §1', url: 'https://datatracker.ietf.org/doc/html/draft-a-b-04' },
    ])
    expect(linksOf('RFC 9396; as RFC 8693 §2; a draft-a; nothing')).toStrictEqual([
      { text: 'RFC 9396', url: 'https://www.rfc-editor.org/rfc/rfc9396' },
      { text: 'as RFC 8693 §2' },
      { text: 'a draft-a' },
      { text: 'nothing' },
    ])
  })
})
