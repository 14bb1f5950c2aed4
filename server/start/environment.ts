import { readFileSync, writeFileSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'

export type Shell = 'bash' | 'powershell' | 'dotenv'

/** How a variable of the environment is set, by shell. */
export const assignments: Record<Shell, (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${quoteDotenv(value)}`,
}

/** A value as all readers of dotenv files read it alike: quoted where it has to be. */
const quoteDotenv = (value: string): string => {
  if (!/[\s#'"`$\\]/.test(value)) return value
  return value.includes("'") ? `"${value.replaceAll('"', '\\"')}"` : `'${value}'`
}

const mark = '# Written by lumoauth-harness start, again at each start.'

/** @throws {UsageError} where a file of that name is not one that `writeDotenv` wrote */
export const requireOwnDotenv = (file: string): void => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (failed) {
    const { code, message } = failed as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    throw new UsageError(`--dotenv: cannot read ${file}: ${message.split(',', 1)[0]}`)
  }
  if (text.startsWith(`${mark}\n`)) return
  throw new UsageError(
    `--dotenv: ${file} was not written by lumoauth-harness start, and is left as it is; name another file`,
  )
}

/**
 * Writes a dotenv file that only its owner may read.
 * @throws {UsageError} when it cannot be written
 */
export const writeDotenv = (file: string, variables: Readonly<Record<string, string>>): void => {
  const lines = Object.entries(variables).map(([name, value]) => assignments.dotenv(name, value))
  try {
    writeFileSync(file, [mark, ...lines, ''].join('\n'), { mode: 0o600 })
  } catch (failed) {
    throw new UsageError(
      `--dotenv: cannot write ${file}: ${(failed as Error).message.split(',', 1)[0]}`,
    )
  }
}
