import type { Difference } from '../language/match.ts'
import type { SkipReason } from '../language/target.ts'
import { type Failure, type Result, skipResult } from '../runner/verdict.ts'
import { deviationsOf, type Judged } from './deviations.ts'

/** The result, skipped where a server or a proxy in front of it said that it was not available. */
export const skipUnavailable = (result: Result): Result => {
  const { unavailable } = result.steps.find((it) => it.unavailable !== undefined) ?? {}
  return unavailable === undefined || result.verdict === 'skipped'
    ? result
    : skipResult(result, unavailable)
}

/**
 * The result as a check counts it: skipped, with the reason, where it says nothing about the seat
 * under test. That is so where a precondition was not reached, where a server was not available, and
 * where only rules of another seat are broken.
 */
export const judgeResult = (received: Result, subject: Judged): Result => {
  const result = skipUnavailable(received)
  const reason = reasonNotTested(result, subject)
  return reason === undefined ? result : skipResult(result, reason)
}

const reasonNotTested = (result: Result, subject: Judged): SkipReason | undefined => {
  if (result.verdict === 'skipped') return undefined
  const [failure] = result.failures
  if (failure === undefined) return undefined
  if (failure.code === 'unreachable' || failure.code === 'tenants') return failure.message
  if (deviationsOf([result], subject).length > 0) return undefined
  return failure.precondition === undefined
    ? `only rules of another seat are concerned: ${describe(failure)}`
    : {
        reason: `precondition not reached: ${failure.precondition} (${describe(failure)})`,
        group: `precondition not reached: ${failure.precondition}`,
      }
}

const describe = ({ differences: [difference], message }: Failure): string =>
  difference === undefined ? message : describeDifference(difference)

const describeDifference = ({ path, expected, received }: Difference): string =>
  `${path}: expected ${expected}, received ${received}`
