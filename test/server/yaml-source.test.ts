import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FlawedFile, parseYaml } from '../../server/wire/yaml-source.ts'

/** Found by fuzzing (test/trust/fuzz-texts.test.ts). */
describe('a YAML text that cannot be read is refused in words, and soon:', () => {
  it.each([
    ['an alias that leads nowhere', '<<: *nothing', 'x.yaml:1:1: Unresolved alias'],
    ['collections as keys within one another', '? '.repeat(1000), 'not nested so deeply'],
    [
      'a list within a list, and so on',
      `${'['.repeat(1000)}${']'.repeat(1000)}`,
      'not nested so deeply',
    ],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
      'Excessive alias count',
    ],
  ])('%s', (_, text, complaint) => {
    const read = () => parseYaml('x.yaml', text, z.unknown())

    expect(read).toThrow(FlawedFile)
    expect(read).toThrow(complaint)
  })
})
