import { didYouMean } from '../../server/wire/closest.ts'
import { TenantSeed } from '../../server/wire/index.ts'
import { actions } from './actions.ts'
import { alwaysSet, type Given } from './format.ts'
import { isObject, type Path } from './match.ts'
import type { Report } from './schema-mistakes.ts'
import { allSteps, wordOf } from './steps.ts'
import { references } from './variables.ts'

/** Checks that the agents, users and tenants named in steps are given. */
export const checkNames = (
  steps: readonly unknown[],
  tenants: readonly Readonly<{ name: string; given: Given }>[],
  report: Report,
) => {
  const seeded = (given: Given | undefined) => {
    const { agents, users } = TenantSeed.parse({ ...given, tenant: undefined })
    return [...agents.map((it) => it.name), ...users.map((it) => it.email)]
  }
  for (const { step, path } of allSteps(steps, ['steps'])) {
    const names = tenants.map((it) => it.name)
    if (step.in !== undefined && !names.includes(String(step.in))) {
      const hint = didYouMean(String(step.in), names)
      report(`no tenant "${step.in}"${hint || `; there are ${names.join(', ')}`}`, [...path, 'in'])
      continue
    }
    if (step.as === undefined) continue
    const there = seeded((tenants.find((it) => it.name === step.in) ?? tenants[0])?.given)
    if (there.includes(String(step.as))) continue
    const hint = didYouMean(String(step.as), there) || `; there are ${there.join(', ')}`
    report(`no agent or user "${step.as}"${hint}`, [...path, 'as'])
  }
}

/** Checks that every used variable is set, and every set variable is used. */
export const checkVariables = (steps: readonly unknown[], report: Report) => {
  const used = new Set<string>()
  const saved: { name: string; path: Path }[] = []
  let sound = true

  const check = (
    list: readonly unknown[],
    path: Path,
    before: ReadonlySet<string>,
  ): Set<string> => {
    const known = new Set(before)
    for (const [index, step] of list.entries()) {
      if (!isObject(step)) continue
      const word = wordOf(step)
      if (word === undefined) continue
      const here = [...path, index]
      const nests = actions[word].nests?.(step[word]) ?? []
      const own = nests.length === 0 ? step : { ...step, [word]: undefined }
      for (const { name, at } of references({ ...own, save: undefined, note: undefined }, here)) {
        used.add(name)
        if (known.has(name)) continue
        sound = false
        const setter = findSetter(name)
        const hint =
          setter === undefined
            ? didYouMean(name, known)
            : `; ${setter} sets it, and there is none before this step`
        report(`$${name} is not set here${hint}`, at)
      }
      const inside = nests.map((nest) =>
        check(nest.steps, [...here, word, ...nest.at], new Set([...known, 'round'])),
      )
      for (const name of inside.flatMap((names) => [...names]))
        if (name !== 'round') known.add(name)
      for (const name of actions[word].sets ?? []) known.add(name)
      for (const name of Object.keys(isObject(step.save) ? step.save : {})) {
        known.add(name)
        if (reserved.has(name))
          report(`"${name}" is the name of a built-in variable`, [...here, 'save', name], {
            part: 'key',
          })
        saved.push({ name, path: [...here, 'save', name] })
      }
    }
    return known
  }

  check(steps, ['steps'], new Set(alwaysSet))
  if (!sound) return
  for (const { name, path } of saved) {
    if (!used.has(name)) {
      report(`$${name} is saved but never used`, path, { part: 'key', severity: 'warning' })
    }
  }
}

const findSetter = (name: string) =>
  Object.entries(actions).find(([, it]) => it.sets?.includes(name))?.[0]

const reserved = new Set([
  ...alwaysSet,
  'round',
  ...Object.values(actions).flatMap((it) => [...(it.sets ?? [])]),
])
