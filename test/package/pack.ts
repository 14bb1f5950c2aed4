import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { root } from '../support/running.ts'
import { run } from './project.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of the file that `npm pack` wrote. */
    tarball: string
  }
}

/** Packs the package once for all test files. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), 'lumoauth-tarball-'))
  await run(root, 'npm', 'pack', '--pack-destination', folder)
  const [name = ''] = (await readdir(folder)).filter((it) => it.endsWith('.tgz'))
  provide('tarball', join(folder, name))
  return () => rm(folder, { recursive: true, force: true })
}
