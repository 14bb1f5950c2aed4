import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { TestTenant } from '../../server/harness/test-tenant.ts'
import { createHarness, type Harness } from '../../server/index.ts'
import { figure } from '../support/figure.ts'
import { type Answered, asked } from './crashing.ts'
import { randomFrom, size } from './sizes.ts'

const rounds = size('RACE_ROUNDS', 100, 1000)

type World = Awaited<ReturnType<typeof opened>> & Awaited<ReturnType<typeof signedIn>>

const opened = async () => {
  const harness = await createHarness({ algorithm: 'ES256' })
  const tenant = harness.createTenant({
    clock: '2026-01-01T00:00:00Z',
    policy: {
      scoring: { low: 0, medium: 0, high: 0, critical: 0, denial: 0 },
      limits: { tasks_per_agent: 100_000 },
    },
  })
  return { harness, tenant }
}

const signedIn = async (tenant: TestTenant) => {
  const [agent] = tenant.agents
  const base = tenant.urls.tenant
  const answer = await asked(`${base}/oauth/token`, {
    method: 'POST',
    form: {
      grant_type: 'client_credentials',
      client_id: agent?.client_id ?? '',
      client_secret: agent?.client_secret ?? '',
    },
  })
  const caller = (token: string) => async (path: string, body: object | undefined) => {
    const answer = await asked(base + path, {
      method: 'POST',
      token,
      ...(body === undefined ? {} : { body }),
    })
    if (answer === undefined || answer.status >= 500) {
      throw new Error(`POST ${path}: ${JSON.stringify(answer)}`)
    }
    return answer
  }
  return {
    post: caller(answer?.body.access_token),
    decide: caller(await tenant.approver.token()),
  }
}

const requested = async ({ post }: World, type: 'file_access' | 'user_data') => {
  const task: string = (await post('/jit/task', {})).body.task_id
  const authorization_details = { type, actions: ['read'], identifier: 'a' }
  const { body } = await post('/jit/request', { task_id: task, authorization_details })
  return { task, request: body.request_id as string }
}

const happened = (tenant: TestTenant, since: number, ...types: string[]) =>
  tenant.journal().filter(({ seq, type }) => seq > since && types.includes(type))

/** Two concurrent requests, and the required outcome. */
type Race = Readonly<{
  between: string
  type: 'file_access' | 'user_data'
  run: (world: World, at: { task: string; request: string }) => (() => Promise<Answered>)[]
  /** How often each may have succeeded. */
  won: (winners: readonly boolean[]) => boolean
  /** The journal must hold exactly one such event. */
  once: readonly string[]
}>

const isFine = ({ status }: Answered) => status < 300
const exactlyOne = (winners: readonly boolean[]) => winners.filter(Boolean).length === 1
const atLeastOne = (winners: readonly boolean[]) => winners.some(Boolean)
const all = (winners: readonly boolean[]) => winners.every(Boolean)

const races: readonly Race[] = [
  {
    between: 'approve against deny',
    type: 'user_data',
    run: ({ decide }, { request }) => [
      () => decide(`/jit/approve/${request}`, {}),
      () => decide(`/jit/deny/${request}`, {}),
    ],
    won: exactlyOne,
    once: ['permission.approved', 'permission.denied'],
  },
  {
    between: 'deny against expiry',
    type: 'user_data',
    run: ({ harness, tenant, decide }, { request }) => [
      () => decide(`/jit/deny/${request}`, {}),
      () => expiring(harness, tenant),
    ],
    won: atLeastOne,
    once: [],
  },
  {
    between: 'exchange against complete',
    type: 'file_access',
    run: ({ post }, { task, request }) => [
      () => post(`/jit/task/${task}/complete`, undefined),
      () => post(`/jit/request/${request}/token`, undefined),
    ],
    won: atLeastOne,
    once: ['task.completed'],
  },
  {
    between: 'two exchanges',
    type: 'file_access',
    run: ({ post }, { request }) =>
      [0, 1].map(() => () => post(`/jit/request/${request}/token`, undefined)),
    won: exactlyOne,
    once: ['token.issued'],
  },
  {
    between: 'two completes',
    type: 'file_access',
    run: ({ post }, { task }) =>
      [0, 1].map(() => () => post(`/jit/task/${task}/complete`, undefined)),
    won: all,
    once: ['task.completed'],
  },
  {
    between: 'evaluate against request',
    type: 'file_access',
    run: ({ post }, { task }) => [
      () => post(`/jit/task/${task}/evaluate`, { result: 'completed' }),
      () =>
        post('/jit/request', {
          task_id: task,
          authorization_details: { type: 'file_access', actions: ['read'], identifier: 'b' },
        }),
    ],
    won: atLeastOne,
    once: [],
  },
]

/** Moves the clock until the request expires. */
const expiring = async ({ controlToken: token }: Harness, { urls, tenant }: TestTenant) => {
  const url = `${new URL(urls.tenant).origin}/_harness/tenants/${tenant}/clock`
  return (await asked(url, { method: 'POST', token, body: { advance: 'PT5M' } })) as Answered
}

describe('two concurrent requests over HTTP', () => {
  it.each(races)('have one winner: $between', async ({ between, type, run, won, once }) => {
    const here = await opened()
    await using _ = here.harness
    const random = randomFrom(rounds)
    const wins = [0, 0]
    for (let round = 0; round < rounds; round += 1) {
      // Tokens of agents and approvers expire, too.
      const world = { ...here, ...(await signedIn(here.tenant)) }
      const at = await requested(world, type)
      const since = world.tenant.journal().at(-1)?.seq ?? 0

      const starts = run(world, at).map((act, who) => ({ act, who }))
      if (round % 2 === 1) starts.reverse()
      const answers: Answered[] = []
      await Promise.all(
        starts.map(async ({ act, who }) => {
          await pause(random() * 8)
          answers[who] = await act()
        }),
      )

      const winners = answers.map(isFine)
      for (const [who, isWinner] of winners.entries())
        wins[who] = (wins[who] ?? 0) + Number(isWinner)
      expect(won(winners), JSON.stringify(answers)).toBe(true)
      if (once.length > 0) expect(happened(world.tenant, since, ...once)).toHaveLength(1)
      await consistent(world, at)
    }
    figure(`race: ${between}`, { rounds, wins: wins.join(' to '), '5xx': 0 })
  })
})

/** After either outcome: a decision stands, and no token is live in an ended task. */
const consistent = async ({ tenant, post }: World, { task, request }: Record<string, string>) => {
  const decisions = tenant
    .journal()
    .filter((it) => it.type === 'permission.approved' || it.type === 'permission.denied')
    .filter((it) => 'requestId' in it && it.requestId === request)
  expect(decisions.length).toBeLessThanOrEqual(1)
  await post(`/jit/task/${task}/complete`, undefined)
  const entries = tenant.journal()
  const issued = entries.flatMap((it) =>
    it.type === 'token.issued' && it.taskId === task ? it.token.jti : [],
  )
  const revoked = entries.flatMap((it) => (it.type === 'token.revoked' ? it.jti : []))
  expect(revoked).toEqual(expect.arrayContaining(issued))
}
