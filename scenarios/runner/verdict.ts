import type { Violation } from '../language/answer.ts'
import type { Difference } from '../language/match.ts'
import type { Position } from '../language/source.ts'
import type { ExpectationFailed } from '../language/step-context.ts'
import type { NoAnswer } from '../language/target.ts'
import type { Exchange } from './exchange.ts'

/** A policy of one of its tenants: its rules, and how many requests each decided. */
export type PolicyUse = Readonly<{
  /** Whether it is the one a tenant has when it brings none. */
  documented: boolean
  rules: readonly Readonly<{ name: string; decided: number }>[]
}>

export type Verdict = 'passed' | 'failed' | 'skipped'

/**
 * Why a scenario failed. `expectation`: a seat answered otherwise. `violation`: an answer breaks its
 * wire schema. `crash`: there was no answer, or the step itself broke.
 */
export type Failure = Readonly<{
  kind: 'expectation' | 'violation' | 'crash'
  code: FailureCode
  message: string
  at: Position
  /** The lines around it. */
  excerpt: string
  /** Number of the step: `3`, or `5.1.2` inside a parallel one. */
  step: string
  /** Members of the answer that are not as the scenario expects. */
  differences: readonly Difference[]
  /** Members of the answer that break its wire schema. */
  violations: readonly Violation[]
  /** The route of the answer, and the seat that gave it. */
  route?: Exchange['route'] | undefined
  seat?: Exchange['seat'] | undefined
  /** The rules it breaks, where that is known more closely than by what the scenario covers. */
  rules?: readonly string[] | undefined
  /** The exchange the failure is about, by its place in `exchanges`. */
  exchange?: number | undefined
}>

/**
 * What went wrong, for programs. `refused`: an answer was no success. `differs`: it is not as expected.
 * `contract_broken`, `refused_and_broken`: it breaks its wire schema. `nothing_there`: a variable holds
 * nothing. `timeout`, `connection_closed`, `unreachable`: there was none. `tenants`: they could not be
 * made or removed. `rule`: the agent broke a rule. `unmet`, `crash`: anything else.
 */
export type FailureCode =
  | ExpectationFailed['code']
  | NoAnswer['code']
  | 'contract_broken'
  | 'refused_and_broken'
  | 'nothing_there'
  | 'tenants'
  | 'rule'
  | 'crash'

export type StepResult = Readonly<{
  step: string
  word: string
  note?: string | undefined
  line: number
  /** In milliseconds. */
  duration: number
  passed: boolean
}>

/** A token that was seen, under the name that stands for it; its claims are no secret. */
export type SeenToken = Readonly<{ name: string; header: unknown; claims: unknown }>

/** How one scenario went. Holds no secret: each is replaced by a name such as ‹jit token 1›. */
export type Result = Readonly<{
  title: string
  file: string
  line: number
  theme: string
  covers: readonly string[]
  tags: readonly string[]
  prefix: 'tenant' | 'org'
  target: string
  /** Which of several runs of the same scenario this is, from 1. */
  round: number
  verdict: Verdict
  /** Why it was skipped. */
  reason?: string | undefined
  failures: readonly Failure[]
  steps: readonly StepResult[]
  exchanges: readonly Exchange[]
  tokens: readonly SeenToken[]
  /** Where the run was to look at policies. */
  policies?: readonly PolicyUse[]
  /** In milliseconds. */
  duration: number
}>

/** The members of a result that name it: which run of which scenario against which target. */
type Named = Pick<Result, 'title' | 'file' | 'line' | 'theme' | 'covers' | 'target'> &
  Partial<Pick<Result, 'tags' | 'prefix' | 'round'>>

/** A result in which nothing has happened yet; a verdict is still to be added. */
export const emptyResult = (named: Named): Omit<Result, 'verdict'> => ({
  tags: [],
  prefix: 'tenant',
  round: 1,
  failures: [],
  steps: [],
  exchanges: [],
  tokens: [],
  duration: 0,
  ...named,
})

export const skippedResult = (named: Named, reason: string): Result => ({
  ...emptyResult(named),
  verdict: 'skipped',
  reason,
})

export type Run = Readonly<{
  target: string
  /** Epoch milliseconds. */
  startedAt: number
  duration: number
  seed?: number | undefined
  results: readonly Result[]
}>

export type Counts = Readonly<Record<Verdict | 'total', number>>

export const countsOf = (results: readonly Result[]): Counts => ({
  total: results.length,
  passed: results.filter((it) => it.verdict === 'passed').length,
  failed: results.filter((it) => it.verdict === 'failed').length,
  skipped: results.filter((it) => it.verdict === 'skipped').length,
})

/** A scenario's name in lists: its title, and what sets this run of it apart. */
export const nameOf = ({ title, prefix, round }: Result, more = true): string => {
  const apart = [...(prefix === 'org' ? ['/orgs'] : []), ...(round > 1 ? [`round ${round}`] : [])]
  return more && apart.length > 0 ? `${title} (${apart.join(', ')})` : title
}
