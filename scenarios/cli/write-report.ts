import { constants } from 'node:fs'
import { access, appendFile, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import type { ReportOrder } from './commands/values.ts'
import { writeWholeFile } from './write-file.ts'

/** Writes to a file, or to standard output. The step summary of GitHub Actions is appended to. */
export const writeReport = async (text: string, file: string | undefined): Promise<void> => {
  if (file === undefined) process.stdout.write(text)
  else if (isStepSummary(file)) await appendFile(file, text)
  else await writeWholeFile(file, text)
}

const isStepSummary = (file: string): boolean => {
  const { GITHUB_STEP_SUMMARY: summary } = process.env
  return Boolean(summary) && resolve(file) === resolve(summary ?? '')
}

/**
 * Checks, before anything runs, that every report can be written: it has a place of its own, and its
 * folder exists and may be written to. Makes the folders.
 * @throws {UsageError}
 */
export const prepareReports = async (orders: readonly ReportOrder<string>[]): Promise<void> => {
  const places = new Set<string>()
  for (const { format, file } of orders) {
    if (file === '') {
      throw new UsageError(
        `--report ${format}=: the name of the file is empty; is the variable that should hold it set?`,
      )
    }
    const place = file === undefined ? 'the standard output' : resolve(file)
    if (places.has(place)) {
      throw new UsageError(
        `--report: two reports go to ${file ?? place}; give each a file of its own: --report ${format}=FILE`,
      )
    }
    places.add(place)
    if (file !== undefined) await requireWritable(format, file)
  }
}

const requireWritable = async (format: string, file: string): Promise<void> => {
  try {
    const there = await stat(file).catch(() => undefined)
    if (there?.isDirectory()) throw new Error('it is a folder')
    if (there !== undefined) return await access(file, constants.W_OK)
    await mkdir(dirname(file), { recursive: true })
    await access(dirname(file), constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `--report ${format}=${file}: cannot be written: ${(error as Error).message}`,
    )
  }
}

/** Writes every report, also after one could not be written. @returns whether all were written */
export const writeReports = async <F extends string>(
  orders: readonly ReportOrder<F>[],
  render: (format: F) => string,
): Promise<boolean> => {
  let written = true
  for (const { format, file } of orders) {
    try {
      await writeReport(render(format), file)
    } catch (error) {
      written = false
      process.stderr.write(
        `lumoauth-harness: --report ${format}=${file ?? ''}: ${(error as Error).message}\n`,
      )
    }
  }
  return written
}
