import type { JournalEntry, Seat } from '../../server/wire/index.ts'
import type { Violation } from '../../server/wire/violations.ts'
import type { Difference } from '../language/match.ts'
import type { Position } from '../language/source.ts'
import type { ExpectationFailed } from '../language/step-context.ts'
import type { NoAnswer, SkipGroup, SkipReason } from '../language/target.ts'
import type { Exchange } from './exchange.ts'

/** A policy of a tenant: its rules, and the number of requests each decided. */
export type PolicyUse = Readonly<{
  /** Whether it is the default policy. */
  documented: boolean
  rules: readonly Readonly<{ name: string; decided: number }>[]
}>

/** The outcome of a scenario. `skipped` comes with a reason and never counts as passed. */
export type Verdict = 'passed' | 'failed' | 'skipped'

/**
 * Why a scenario failed. `expectation`: an answer did not match. `violation`: an answer breaks its
 * wire schema. `crash`: there was no answer, or the step threw.
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
  /** Members of the answer that do not match. */
  differences: readonly Difference[]
  /** Members of the answer that break its wire schema. */
  violations: readonly Violation[]
  /** The route and the seat of the answer. */
  route?: Exchange['route'] | undefined
  seat?: Exchange['seat'] | undefined
  /** The broken rules, where they are known more exactly than by `covers`. */
  rules?: readonly string[] | undefined
  /** The step is a precondition, in words: its failure says nothing about a rule. */
  precondition?: string | undefined
  /** Index of the failed exchange in `exchanges`. */
  exchange?: number | undefined
}>

/**
 * The failure, for programs. `refused`: the answer was an error. `differs`: it did not match.
 * `contract_broken`, `refused_and_broken`: it breaks its wire schema. `nothing_there`: a variable
 * is not set. `timeout`, `connection_closed`, `unreachable`: there was no answer. `tenants`: they
 * could not be created or deleted. `rule`: the agent broke a rule. `unmet`, `crash`: any other
 * reason.
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
  /** The seats whose answers it judged; none where the step is a precondition. */
  judges?: readonly Seat[] | undefined
  /** The answer that says that the seat was not available, such as 503, where none was expected. */
  unavailable?: SkipGroup | undefined
  /** The journal entries it led to, where the run recorded them. */
  journal?: readonly JournalEntry[] | undefined
}>

/** A token under its replacement name. Its claims are not secret. */
export type SeenToken = Readonly<{ name: string; header: unknown; claims: unknown }>

/** The result of one scenario. Secrets are replaced by names such as ‹jit token 1›. */
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
  /** The reason as reports count it, where that differs. */
  skip?: SkipGroup | undefined
  failures: readonly Failure[]
  steps: readonly StepResult[]
  exchanges: readonly Exchange[]
  tokens: readonly SeenToken[]
  /** Present where the run recorded policies. */
  policies?: readonly PolicyUse[]
  /** In milliseconds. */
  duration: number
}>

/** The members of a result that name it: which run of which scenario against which target. */
type Named = Pick<Result, 'title' | 'file' | 'line' | 'theme' | 'covers' | 'target'> &
  Partial<Pick<Result, 'tags' | 'prefix' | 'round'>>

/** An empty result without a verdict. */
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

export const skippedResult = (named: Named, skip: SkipReason): Result =>
  skipResult({ ...emptyResult(named), verdict: 'skipped' }, skip)

/** The result, skipped. */
export const skipResult = (result: Result, skip: SkipReason): Result => ({
  ...result,
  verdict: 'skipped',
  failures: [],
  ...(typeof skip === 'string' ? { reason: skip } : { reason: skip.reason, skip }),
})

/** The results of all scenarios against one target. `startedAt` and `duration` are in milliseconds. */
export type Run = Readonly<{
  target: string
  /** Epoch milliseconds. */
  startedAt: number
  duration: number
  seed?: number | undefined
  results: readonly Result[]
}>

export type Counts = Readonly<Record<Verdict | 'total', number>>

/** How many results have each verdict. */
export const countsOf = (results: readonly Result[]): Counts => ({
  total: results.length,
  passed: results.filter((it) => it.verdict === 'passed').length,
  failed: results.filter((it) => it.verdict === 'failed').length,
  skipped: results.filter((it) => it.verdict === 'skipped').length,
})

/** The name of a result in lists: title, prefix and repetition. */
export const nameOf = ({ title, prefix, round }: Result, more = true): string => {
  const apart = [...(prefix === 'org' ? ['/orgs'] : []), ...(round > 1 ? [`round ${round}`] : [])]
  return more && apart.length > 0 ? `${title} (${apart.join(', ')})` : title
}
