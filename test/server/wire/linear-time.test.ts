import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { redact } from '../../../client/redact.ts'
import { mask } from '../../../server/http/tenant/mask.ts'
import { scopesIn } from '../../../server/issuer/capability-check.ts'
import { jwtsIn } from '../../../server/wire/jwt-shape.ts'
import { parseYaml, readYaml } from '../../../server/wire/yaml-source.ts'
import { bot } from '../issuer/world.ts'

/** Found by recheck (test/README.md): each took quadratic time. */
describe('no text takes quadratic time in', () => {
  it.each([
    ['mask', () => mask('eyJ-'.repeat(250_000))],
    ['mask, with dots', () => mask('eyJ-.'.repeat(200_000))],
    ['redacted', () => redact('eyJJJJJJJJ-'.repeat(90_000))],
    ['jwtsIn', () => jwtsIn('-eyJy'.repeat(200_000))],
    ['scopesIn', () => scopesIn(`${'.'.repeat(500_000)}x.`, bot)],
  ])('%s', (_, act) => {
    const start = performance.now()

    act()

    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('large YAML with an error at each key', () => {
  it('is located in linear time', { timeout: 15_000 }, () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}`)
    const text = keys.map((key) => `${key}: 1`).join('\n')
    const { locate } = readYaml(text)

    const lines = keys.map((key) => locate([key], 'key').line)

    expect(lines).toEqual(keys.map((_, index) => index + 1))
    expect(() => parseYaml('x.yaml', text, z.strictObject({ k0: z.number() }))).toThrow(
      'x.yaml:101:1: unknown key "k100"',
    )
  })
})
