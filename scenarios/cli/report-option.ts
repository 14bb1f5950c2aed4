import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { didYouMean } from '../../server/wire/closest.ts'
import { reports } from '../reports/formats.ts'
import type { Report } from '../reports/report.ts'

/** What `--report FORMAT[=FILE]` asks for. */
export const parseReportOption = (
  order: string,
  known: Readonly<Record<string, Report>> = reports,
): { report: Report; file: string | undefined } => {
  const [format = '', ...rest] = order.split('=')
  const report = Object.hasOwn(known, format) ? known[format] : undefined
  if (report === undefined) {
    const names = Object.keys(known)
    const hint = didYouMean(format, names) || `; reports are ${names.join(', ')}`
    throw new UsageError(`unknown report "${format}"${hint}`)
  }
  return { report, file: rest.length === 0 ? undefined : rest.join('=') }
}

/** Writes to a file, or to standard output. */
export const writeReport = async (text: string, file: string | undefined): Promise<void> => {
  if (file === undefined) {
    process.stdout.write(text)
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  await writeFile(file, text)
}
