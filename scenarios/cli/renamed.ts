import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { packageRoot } from '../../server/package-root.ts'
import { UsageError } from '../../server/usage-error.ts'
import { parseYaml } from '../../server/wire/yaml-source.ts'

const Renamed = z.strictObject({
  titles: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.string()),
})

/** Former titles and files of the scenarios of the package, with the present ones: `renamed.yaml`. */
export const readRenamed = (): z.infer<typeof Renamed> => {
  const file = new URL('scenarios/renamed.yaml', packageRoot)
  return parseYaml('renamed.yaml', readFileSync(file, 'utf8'), Renamed)
}

/** `; "OLD" is now "NEW"` where `name` is a former title or file, or a part of one; else empty. */
export const renamedHint = (name: string): string => {
  const wanted = stemOf(name)
  const names = formerNames()
  return hintOf(
    names.find(({ stem }) => stem === wanted || wanted.endsWith(`/${stem}`)) ??
      names.find(({ stem }) => stem.includes(wanted)),
  )
}

/** @throws {UsageError} where a reason in `file` names a scenario by a former title or file */
export const rejectFormerNames = (
  file: string,
  reasons: Readonly<Partial<Record<string, string>>>,
): void => {
  for (const [key, reason = ''] of Object.entries(reasons)) {
    const found = formerNames()
      .filter(({ stem }) => reason.toLowerCase().includes(stem))
      .sort((a, b) => b.stem.length - a.stem.length)[0]
    if (found === undefined) continue
    throw new UsageError(`${file}: ${key}: names a renamed scenario${hintOf(found)}`)
  }
}

type Name = Readonly<{ old: string; now: string; stem: string }>

let names: readonly Name[] | undefined

const formerNames = (): readonly Name[] => {
  if (names === undefined) {
    const { titles, files } = readRenamed()
    names = Object.entries({ ...titles, ...files }).map(([old, now]) => ({
      old,
      now,
      stem: stemOf(old),
    }))
  }
  return names
}

const stemOf = (name: string): string =>
  name
    .replaceAll('\\', '/')
    .replace(/\.ya?ml$/, '')
    .toLowerCase()

const hintOf = (name: Name | undefined): string =>
  name === undefined ? '' : `; "${name.old}" is now "${name.now}"`
