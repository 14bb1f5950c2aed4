import { actions, isWord, type Word } from './actions.ts'
import { isObject, type Path } from './match.ts'
import type { Step } from './step-context.ts'

/** The name of a step's action. */
export const wordOf = (step: Step): Word | undefined => Object.keys(step).find(isWord)

/**
 * What a step must reach before the scenario says anything about a rule, in words; undefined for a
 * step that checks. A step without `expect` is a precondition unless it is the last of its list.
 */
export const preconditionOf = (step: Step, isLast: boolean): string | undefined => {
  if (typeof step.given_that === 'string') return step.given_that
  const word = wordOf(step)
  if (word === undefined || word === 'assert' || actions[word].nests !== undefined) return undefined
  return step.expect === undefined && !isLast ? word : undefined
}

/** `times`: how often the step is performed. */
export type Placed = Readonly<{ step: Step; word: Word; path: Path; times: number }>

/** All steps, including nested ones, in the order of the file. */
export const allSteps = (steps: readonly unknown[], path: Path, times = 1): Placed[] =>
  steps.flatMap((step, index) => {
    if (!isObject(step)) return []
    const word = wordOf(step)
    if (word === undefined) return []
    const here = [...path, index]
    const inner = actions[word].nests?.(step[word]) ?? []
    return [
      { step, word, path: here, times },
      ...inner.flatMap((nest) =>
        allSteps(nest.steps, [...here, word, ...nest.at], times * (nest.times ?? 1)),
      ),
    ]
  })
