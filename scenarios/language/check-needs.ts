import type { Capability } from './capabilities.ts'
import type { Given } from './format.ts'
import { isObject, type Path } from './match.ts'
import type { Report } from './schema-mistakes.ts'
import { allSteps } from './steps.ts'

/** Checks that a scenario declares what its steps need of their tenant. */
export const checkNeeds = (
  needs: readonly Capability[],
  steps: readonly unknown[],
  tenants: readonly Readonly<{ given: Given }>[],
  report: Report,
): void => {
  if (needs.includes('frozen_clock') && tenants.some(({ given }) => given.clock === 'system')) {
    const at = needs.indexOf('frozen_clock')
    report('clock: system contradicts needs: [frozen_clock]', ['needs', at])
  }
  for (const { step, word, path } of allSteps(steps, ['steps'])) {
    const expected = entriesIn(step.expect, [...path, 'expect'])
    const moment = expected.find(({ value }) => isMoment(value))
    if (moment !== undefined && !needs.includes('frozen_clock')) {
      report('expecting a date-time needs: [frozen_clock]', moment.at)
    }
    const counted = word === 'list_pending' && expected.find(({ key, value }) => counts(key, value))
    if (counted && !needs.includes('own_tenant')) {
      report('counting pending requests needs: [own_tenant]', counted.at)
    }
  }
}

type Entry = Readonly<{ key: string; value: unknown; at: Path }>

/** All members of a value, recursively. */
const entriesIn = (value: unknown, at: Path): Entry[] =>
  (isObject(value) || Array.isArray(value) ? Object.entries(value) : []).flatMap(([key, it]) => {
    const here = [...at, key]
    return [{ key, value: it, at: here }, ...entriesIn(it, here)]
  })

/** Epoch seconds of this decade or the last, or an ISO date-time. */
const isMoment = (value: unknown): boolean =>
  typeof value === 'number'
    ? value > 1.7e9 && value < 2e9
    : typeof value === 'string' && /^20\d\d-\d\d-\d\dT/.test(value)

const counts = (key: string, value: unknown): boolean =>
  Array.isArray(value) ||
  ['count', 'total', 'length', 'in_any_order', 'absent', 'equals'].includes(key)
