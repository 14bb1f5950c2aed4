import { describe, expect, it } from 'vitest'
import { assignments } from '../../../server/start/environment.ts'

describe('an assignment', () => {
  it.each([
    ['bash', `export NAME='it'\\''s'`],
    ['powershell', `$env:NAME = 'it''s'`],
    ['dotenv', `NAME=it's`],
  ] as const)('is quoted for %s', (shell, line) => {
    expect(assignments[shell]('NAME', "it's")).toBe(line)
  })
})
