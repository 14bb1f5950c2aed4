import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRenamed, rejectFormerNames, renamedHint } from '../../../scenarios/cli/renamed.ts'
import { root } from '../../support/running.ts'

const folder = join(root, 'scenarios')
const files = globSync('{suite,*-suite}/**/*.yaml', { cwd: folder })
const titles = files
  .map((file) => /^scenario: (.+)$/m.exec(readFileSync(join(folder, file), 'utf8'))?.[1])
  .map((title) => title?.replace(/^"(?:\{\{route\}\}: )?(.*)"$/, '$1'))
const renamed = readRenamed()

describe('renamed.yaml', () => {
  it('maps every former title to a present title, and every former file to a present file', () => {
    expect(Object.values(renamed.titles).filter((it) => !titles.includes(it))).toEqual([])
    expect(Object.values(renamed.files).filter((it) => !files.includes(it))).toEqual([])
  })

  it('contains no name that is in use', () => {
    const used = titles.filter((title) =>
      Object.keys(renamed.titles).some((old) => title?.includes(old)),
    )

    expect(used).toEqual([])
    expect(Object.keys(renamed.files).filter((it) => files.includes(it))).toEqual([])
  })
})

describe('renamedHint', () => {
  const says =
    '"suite/approvals/a-decision-is-final.yaml" is now "suite/approvals/second-decision-gets-already-decided.yaml"'

  it.for([
    'suite/approvals/a-decision-is-final.yaml',
    'approvals/a-decision-is-final',
    '/home/x/scenarios/suite/approvals/a-decision-is-final.yaml',
    'suite\\approvals\\a-decision-is-final.yaml',
  ])('names the present file for %s', (name) => {
    expect(renamedHint(name)).toBe(`; ${says}`)
  })

  it('names the present title, case-insensitively', () => {
    expect(renamedHint('a JIT token says WHAT it grants')).toBe(
      '; "A JIT token says what it grants" is now "A JIT token has authorization_details"',
    )
  })

  it('rejectFormerNames rejects a former name in a reason', () => {
    const reasons = { 'THR-19': 'seen in suite/approvals/a-decision-is-final.yaml since May' }

    expect(() => rejectFormerNames('known.yaml', reasons)).toThrow(
      `known.yaml: THR-19: names a renamed scenario; ${says}`,
    )
  })

  it('is empty for other texts', () => {
    expect(renamedHint('no-such-scenario')).toBe('')
    expect(() => rejectFormerNames('known.yaml', { 'THR-19': 'No' })).not.toThrow()
  })
})
