import { ExpectationFailed } from '../language/step-context.ts'
import { NoAnswer } from '../language/target.ts'
import { NoSuchPart } from '../language/variables.ts'
import type { Exchange } from './exchange.ts'
import type { CurrentStep } from './step-context.ts'
import type { Failure } from './verdict.ts'

/** A failure whose exchange has no index yet. */
export type UnplacedFailure = Omit<Failure, 'exchange'> &
  Readonly<{ subject: Exchange | undefined }>

/** Carries a failure up to the scenario. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
  readonly failure: UnplacedFailure
  constructor(failure: UnplacedFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** An answer that breaks its wire schema. */
export class ContractBroken extends Error {
  override readonly name = 'ContractBroken'
  readonly subject: Exchange
  /** The answer is an error where the step expects success. */
  readonly refused: boolean
  constructor(subject: Exchange, refused: boolean) {
    const { seat, route, request, answer, violations } = subject
    const says = violations.map(({ message }) => message).join('; ')
    super(
      `${seats[seat]} broke the contract of ${route ?? request.url}: ${says}${refused ? `; expected success, received ${answer.status}` : ''}`,
    )
    this.subject = subject
    this.refused = refused
  }
}

const seats = { issuer: 'the issuer', api: 'the API', control: 'the control plane' }

/** The failure of a step from a thrown error: position in the file, and data. */
export const failureOf = (error: unknown, current: CurrentStep): UnplacedFailure => {
  const { step, word, path, number, made, run, precondition } = current
  const { source } = run.scenario
  const broken = error instanceof ContractBroken ? error : undefined
  const unmet = error instanceof ExpectationFailed ? error : undefined
  const subject = broken?.subject ?? made.findLast((it) => it.seat !== 'control') ?? made.at(-1)
  const differences = unmet?.differences ?? []
  const within = differences[0]?.at ?? unmet?.at ?? []
  const [head] = within
  const inArgument = (head !== 'expect' && head !== 'save') || word === 'assert'
  const at = source.locate(
    [...path, ...(inArgument ? [word] : []), ...within],
    within.length === 0 ? 'key' : 'value',
  )
  return {
    kind: broken !== undefined ? 'violation' : isExpectation(error) ? 'expectation' : 'crash',
    code: codeOf(error),
    message: `${step.given_that === undefined ? '' : `not given that ${step.given_that}: `}${messageOf(error, run.patience)}`,
    at,
    excerpt: source.excerpt(at, source.locate(path).line),
    step: number,
    differences,
    violations: broken?.subject.violations ?? [],
    route: subject?.route ?? undefined,
    seat: subject?.seat,
    ...(precondition === undefined ? {} : { precondition }),
    subject,
  }
}

const isExpectation = (error: unknown): boolean =>
  error instanceof ExpectationFailed || error instanceof NoSuchPart

const codeOf = (error: unknown): Failure['code'] => {
  if (error instanceof ContractBroken)
    return error.refused ? 'refused_and_broken' : 'contract_broken'
  if (error instanceof ExpectationFailed) return error.code
  if (error instanceof NoSuchPart) return 'nothing_there'
  return noAnswerIn(error)?.code ?? 'crash'
}

/** The missing answer that caused an error. */
const noAnswerIn = (error: unknown): NoAnswer | undefined =>
  error instanceof NoAnswer
    ? error
    : error instanceof Error && error.cause !== undefined
      ? noAnswerIn(error.cause)
      : undefined

const messageOf = (error: unknown, patience: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patience / 1000} s`
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`
}
