import { z } from 'zod'
import { Duration } from '../../server/wire/index.ts'
import { type Answer, isSuccess } from './answer.ts'
import type { Capability } from './capabilities.ts'
import { isObject, type Path } from './match.ts'
import { ExpectationFailed, type Outcome, type Step, type StepContext } from './step-context.ts'

/** A list of steps inside a step. Each is checked by the schema of its action (load.ts). */
export const Steps = z.array(z.custom<Step>(() => true)).min(1)

type Nest = Readonly<{ steps: readonly unknown[]; at: Path; times?: number }>
type Definition<S extends z.ZodType> = Readonly<{
  /** One sentence for the table in the README. */
  says: string
  example: string
  args: S
  /** What `expect` looks at: the HTTP answer, the fields of its body, a value, or nothing. */
  looks: 'answer' | 'fields' | 'value' | 'nothing'
  /** Built-in variables that are set from this action on. */
  sets?: readonly string[]
  needs?: (args: z.input<S>) => readonly Capability[]
  /** Keys of the argument that hold lists of steps. Their variables are filled when they run. */
  nests?: (args: z.input<S>) => readonly Nest[]
  run: (args: z.input<S>, context: StepContext) => Promise<Outcome>
}>
export type Action = Omit<Definition<z.ZodType>, 'run' | 'needs' | 'nests'> &
  Readonly<{
    needs?: (args: unknown) => readonly Capability[]
    nests?: (args: unknown) => readonly Nest[]
    run: (args: unknown, context: StepContext) => Promise<Outcome>
  }>

/** An action of the language. */
export const action = <S extends z.ZodType>(definition: Definition<S>): Action =>
  definition as unknown as Action

/** The outcome of an answer, matched by the fields of its body. */
export const outcomeOf = (answer: Answer | undefined): Outcome => ({ answer, value: answer?.body })

/** The value of a field of a successful answer, for later steps of the agent. */
export const keepField = (answer: Answer, field: string, take: (value: string) => void) => {
  const value = isObject(answer.body) ? answer.body[field] : undefined
  if (isSuccess(answer) && typeof value === 'string') take(value)
}

/** The id from an earlier step of the agent. */
export const currentId = (
  held: Readonly<Record<string, unknown>> | undefined,
  id: string,
): string => {
  const value = held?.[id]
  if (typeof value === 'string') return value
  throw new ExpectationFailed(
    id === 'task_id'
      ? 'the agent has no task: add open_task before this step, or give task_id'
      : 'the agent has no request: add request_permission before this step, or give request_id',
  )
}

/** Sends a request to the control plane of the tenant. */
export const control = async (
  context: StepContext,
  method: string,
  path: string,
  json?: unknown,
) => {
  const answer = await context.send('control', { method, path, json, by: 'control' })
  if (!isSuccess(answer)) {
    const { error, error_description } = isObject(answer.body) ? answer.body : {}
    throw new ExpectationFailed(
      `the control plane answered ${answer.status} ${error ?? ''}: ${error_description ?? ''}`,
    )
  }
  return { answer, value: answer.body }
}

export const Id = z.string().min(1)

export const Token = z.string().min(1).describe('jit, agent, approver, or a token such as $stolen')

export const orVariable = <S extends z.ZodType>(schema: S) => z.union([schema, Variable])

/** A duration as written; {@link Duration} converts it to seconds. */
export const Time = z
  .custom<number | string>((it) => Duration.safeParse(it).success, {
    error: 'expected a duration: seconds, or ISO 8601 such as PT5M',
  })
  .meta({ type: ['number', 'string'], examples: ['PT5M'] })

const Variable = z.string().regex(/^\$[A-Za-z_]/, { error: 'expected a variable such as $name' })
