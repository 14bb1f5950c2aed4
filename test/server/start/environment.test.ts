import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { assignments, requireOwnDotenv, writeDotenv } from '../../../server/start/environment.ts'

describe('an assignment', () => {
  it.each([
    ['bash', `export NAME='it'\\''s'`],
    ['powershell', `$env:NAME = 'it''s'`],
    ['dotenv', `NAME="it's"`],
  ] as const)('is quoted for %s', (shell, line) => {
    expect(assignments[shell]('NAME', "it's")).toBe(line)
  })
})

describe('a value in a dotenv file', () => {
  it.each(['plain-1.2', "it's", 'a b', 'a # b', 'a "b" c', '$HOME', 'back\\slash'])(
    'is read by Node as it was: %j',
    async (value) => {
      const folder = await mkdtemp(join(tmpdir(), 'lumoauth-env-'))
      const file = join(folder, '.env')

      writeDotenv(file, { NAME: value })

      expect(parseEnv(await readFile(file, 'utf8'))).toEqual({ NAME: value })
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      requireOwnDotenv(file)
      await rm(folder, { recursive: true })
    },
  )
})

describe('a dotenv file of the user', () => {
  it('is left as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lumoauth-env-'))
    const file = join(folder, '.env')
    await writeFile(file, 'MINE=1\n')

    expect(() => requireOwnDotenv(file)).toThrow(/was not written by lumoauth-harness start/)
    await rm(folder, { recursive: true })
  })
})
