import type { MatcherResult, MatcherState } from 'vitest'
import type { JitContext, LumoAuthAgent } from '../../client/index.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import type { Entry, EventOf, PermissionRequest } from '../issuer/event.ts'
import { type AuthorizationDetail, anyCovers } from '../wire/index.ts'
import {
  type ExpectedDetail,
  hasAsymmetric,
  matchDetail,
  readExpectedDetail,
} from './match-detail.ts'
import { type ExpectedOutcome, type OtherFacts, toDecide } from './to-decide.ts'

/**
 * Asked of a tenant (everything in it), or of the fixtures `agent` and `jit` (what is theirs);
 * `toDecide` of a policy.
 */
export type LumoAuthMatchers<R> = {
  /**
   * Asked for exactly this, whatever was decided. The order of lists does not matter. Asymmetric matchers
   * such as `expect.objectContaining({ type: 'user_data' })` may stand anywhere, also for the whole detail.
   * @throws {TypeError} for a detail without a type, which could never match
   */
  toHaveRequested: (detail: ExpectedDetail) => R
  /** Opened a task, and completed every one it opened. */
  toHaveCompletedItsTask: () => R
  /**
   * The API let it in with JIT tokens for these details, or for less, and never for more. A detail with an
   * asymmetric matcher permits what equals it.
   * @throws {TypeError} for anything but a list of details
   */
  toHaveUsedOnly: (details: readonly ExpectedDetail[]) => R
  /**
   * The policy decides like this of a request for the detail: `{ decision: 'ask', rule: 'payments' }`.
   * Members that are not given may have any value. `facts` says what else is known, such as the agent.
   * @throws {TypeError} for what is not a policy, a detail, or an outcome that a policy can have
   */
  toDecide: (detail: AuthorizationDetail, expected: ExpectedOutcome, facts?: OtherFacts) => R
}

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends LumoAuthMatchers<R> {}
}

export const matchers = {
  toHaveRequested(this: MatcherState, received: unknown, expected: ExpectedDetail) {
    const detail = readExpectedDetail('toHaveRequested', expected)
    const { name, requests } = subjectOf(received)
    const made = requests()
    const pass = made.some((it) => matchDetail(this.equals, it.request.detail, detail))
    const nearest = made.find((it) => 'type' in detail && it.request.detail.type === detail.type)
    return {
      pass,
      message: () =>
        sentence(this, name, `have requested\n${listDetails([detail])}`, [
          made.length === 0
            ? 'It requested nothing.'
            : `It requested\n${made.map(({ request, status }) => `${listDetails([request.detail])} (${status})`).join('\n')}`,
        ]),
      ...(pass || nearest === undefined
        ? {}
        : {
            actual: sortMembers(nearest.request.detail),
            expected: sortMembers(detail as AuthorizationDetail),
          }),
    }
  },

  toHaveCompletedItsTask(this: MatcherState, received: unknown) {
    const { name, tasks } = subjectOf(received)
    const opened = tasks()
    const open = opened.filter(({ status }) => status !== 'completed')
    return {
      pass: opened.length > 0 && open.length === 0,
      message: () =>
        sentence(this, name, 'have completed its task', [
          opened.length === 0 ? 'It opened none.' : '',
          ...(this.isNot ? opened : open).map(
            ({ task, status, alive }) =>
              `${task.id}${task.name === undefined ? '' : ` (${task.name})`} is ${status}; ` +
              `${alive === 1 ? '1 of its tokens is' : `${alive} of its tokens are`} still good.`,
          ),
        ]),
    }
  },

  toHaveUsedOnly(this: MatcherState, received: unknown, expected: readonly ExpectedDetail[]) {
    if (!Array.isArray(expected)) {
      throw new TypeError(
        `toHaveUsedOnly: expected a list of authorization details, received ${JSON.stringify(expected)}`,
      )
    }
    const details = expected.map((it) => readExpectedDetail('toHaveUsedOnly', it))
    const { name, used } = subjectOf(received)
    const all = used()
    const plain = details.filter((it): it is AuthorizationDetail => !hasAsymmetric(it))
    const patterns = details.filter(hasAsymmetric)
    const more = all.filter(
      ({ detail }) =>
        !anyCovers(plain, detail) && !patterns.some((it) => matchDetail(this.equals, detail, it)),
    )
    const idle = all.length === 0 && details.length > 0
    return {
      pass: more.length === 0 && !idle,
      message: () =>
        sentence(this, name, `have used only\n${listDetails(details) || '  nothing'}`, [
          idle ? 'It used no permission at all.' : '',
          ...(this.isNot ? all : more).map(
            ({ detail, call }) => `It used\n${listDetails([detail])}\n  for ${call}`,
          ),
        ]),
    }
  },

  toDecide,
} satisfies Record<
  string,
  (this: MatcherState, received: unknown, ...more: never[]) => MatcherResult
>

const sentence = (
  { isNot }: MatcherState,
  name: string,
  expected: string,
  found: readonly string[],
) =>
  [
    `expected ${name} ${isNot ? 'not ' : ''}to ${expected}`,
    ...found.filter((it) => it !== ''),
  ].join('\n')

const listDetails = (details: readonly ExpectedDetail[]) =>
  details.map((it) => `  ${JSON.stringify(it)}`).join('\n')

/** Matchers such as `expect.any(String)` may stand in a detail, so it is not made a text of. */
const sortMembers = (detail: AuthorizationDetail): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [
      key,
      Array.isArray(value) ? [...value].sort() : value,
    ]),
  )

const tenants = new WeakMap<object, TestTenant>()

/** Remembers whose agent it is: matchers ask its tenant. */
export const rememberTenant = (agent: LumoAuthAgent, tenant: TestTenant): void => {
  tenants.set(agent, tenant)
}

type Task = EventOf<'task.opened'>['task']

/** What a matcher looks at. */
type Subject = Readonly<{
  name: string
  requests: () => { request: PermissionRequest; status: string }[]
  tasks: () => { task: Task; status: string; alive: number }[]
  used: () => { detail: AuthorizationDetail; call: string }[]
}>

const subjectOf = (received: unknown): Subject => {
  if (isTenant(received)) return subject(received, `the agents of ${received.tenant}`)
  if (isObject(received)) {
    const { agent, taskId } = received as Partial<JitContext>
    const tenant = tenants.get(agent ?? received)
    const [mine] = tenant?.agents ?? []
    if (tenant && mine) return subject(tenant, mine.name, { ...mine, task: taskId })
  }
  throw new TypeError('expected a tenant, or one of the fixtures agent and jit')
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isTenant = (value: unknown): value is TestTenant =>
  isObject(value) && 'journal' in value && 'exchanges' in value

type Owner = Readonly<{ agent_id: string; client_id: string; task: string | undefined }>

const subject = (tenant: TestTenant, name: string, owner?: Owner): Subject => {
  const isTheirs = (it: { agentId: string }, task: string) =>
    owner === undefined ||
    (it.agentId === owner.agent_id && (owner.task === undefined || task === owner.task))
  return {
    name,
    requests: () => {
      const journal = tenant.journal()
      return journal
        .filter((it) => it.type === 'permission.requested')
        .filter(({ request }) => isTheirs(request, request.taskId))
        .map(({ request }) => ({ request, status: findDecision(journal, request.id) }))
    },
    tasks: () => {
      const journal = tenant.journal()
      return journal
        .filter((it) => it.type === 'task.opened')
        .filter(({ task }) => isTheirs(task, task.id))
        .map(({ task }) => ({ task, ...describeLife(task, journal, tenant.clock.now()) }))
    },
    used: () =>
      tenant
        .exchanges()
        .filter(({ seat, answer }) => seat === 'api' && answer.status < 400)
        .flatMap(({ request, tokens = [] }) =>
          tokens
            .filter(({ where }) => where === 'request authorization')
            .filter(({ claims }) => owner === undefined || claims.client_id === owner.client_id)
            .filter(({ claims }) => owner?.task === undefined || claims.task_id === owner.task)
            .flatMap(({ claims }) => (claims.authorization_details ?? []) as AuthorizationDetail[])
            .map((detail) => ({ detail, call: `${request.method} ${request.path}` })),
        ),
  }
}

const findDecision = (journal: readonly Entry[], id: string): string => {
  const decided = journal.find(
    (it) =>
      (it.type === 'permission.approved' || it.type === 'permission.denied') && it.requestId === id,
  )
  return decided?.type.replace('permission.', '') ?? 'pending'
}

const describeLife = (task: Task, journal: readonly Entry[], now: number) => {
  const ended = journal.find(
    (it) => (it.type === 'task.completed' || it.type === 'task.suspended') && it.taskId === task.id,
  )
  const revoked = new Set(journal.flatMap((it) => (it.type === 'token.revoked' ? [it.jti] : [])))
  const tokens = journal.flatMap((it) =>
    it.type === 'token.issued' && it.token.taskId === task.id ? [it.token] : [],
  )
  return {
    status:
      ended?.type.replace('task.', '') ?? (now >= task.expiresAt ? 'expired' : 'still active'),
    alive: tokens.filter(({ jti, expiresAt }) => !revoked.has(jti) && now < expiresAt).length,
  }
}
