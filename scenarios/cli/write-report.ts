import { writeWholeFile } from './write-file.ts'

/** Writes to a file, or to standard output. */
export const writeReport = async (text: string, file: string | undefined): Promise<void> => {
  if (file === undefined) process.stdout.write(text)
  else await writeWholeFile(file, text)
}
