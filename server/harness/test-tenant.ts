import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Core } from '../http/core.ts'
import { encodeAnswer } from '../http/message.ts'
import { advanceClock } from '../http/tenant/advance-clock.ts'
import type { TenantContext } from '../http/tenant/tenant-context.ts'
import { waitForEntry } from '../http/tenant/wait-for-entry.ts'
import type { Entry } from '../issuer/event.ts'
import { findUser } from '../issuer/tasks.ts'
import type { MisbehaviourName } from '../misbehaviours/catalogue.ts'
import { UsageError } from '../usage-error.ts'
import {
  ApproverScript,
  Dialect,
  Duration,
  type Exchange,
  PendingRequests,
  Policy,
  pendingIn,
  type RouteName,
  type SwitchMisbehaviour,
  type TenantCreated,
  TenantSeed,
} from '../wire/index.ts'
import { parseOption } from '../wire/schema-issues.ts'

type Input<S extends z.ZodType> = z.input<S>

/** A tenant as tests use it: its credentials, and methods to control it. */
export type TestTenant = TenantCreated &
  Readonly<{
    /** The clock of the tenant. */
    clock: TestClock
    /** The user who decides requests. */
    approver: TestApprover
    /**
     * Switches a misbehaviour on: for good, or as often as the order says.
     * @throws {TypeError} for a name that is unknown, with the one that was probably meant
     */
    misbehave: (order: AnyName | MisbehaviourOrder) => Promise<void>
    /** Switches all misbehaviours off. */
    behave: () => void
    /**
     * Replaces the policy.
     * @throws {TypeError} with one line per error in the policy
     */
    decideBy: (policy: PolicyInput) => void
    /** Sets the dialect. Switches that are not given return to their defaults. */
    speak: (dialect: DialectInput) => void
    /** The journal entries, oldest first. */
    journal: () => readonly Entry[]
    /** The recorded exchanges, oldest first, with secrets masked. */
    exchanges: () => Exchange[]
    /** The first event of a type; waits for it up to the given real seconds (default 5). */
    waitFor: <T extends Entry['type']>(type: T, seconds?: number) => Promise<EntryOf<T>>
    /**
     * Replaces policy, dialect, approver, model script and misbehaviours by those of another seed.
     * Tasks and tokens stay.
     */
    amend: (seed: Input<typeof TenantSeed>) => void
    /**
     * Resets the tenant to its seed, or to another one. Credentials that the seed does not contain
     * stay.
     */
    reset: (seed?: Input<typeof TenantSeed>) => void
    /** Deletes the tenant. Further requests for it get 404. */
    delete: () => void
  }>

/** An event of the journal, with its place and its time (epoch seconds of the tenant's clock). */
export type JournalEntry = Entry

/** A policy as it may be written, defaults left out. */
export type PolicyInput = Input<typeof Policy>

/** Switches of the dialect, those left out at their defaults. */
export type DialectInput = Input<typeof Dialect>

/** How a scripted approver answers, defaults left out. */
export type ApproverInput = Input<typeof ApproverScript>

export type { MisbehaviourName }

/** A name of the package, or of a misbehaviour that the options of `createHarness` bring. */
type AnyName = MisbehaviourName | (string & {})

/** Which misbehaviour, in which exchanges. */
export type MisbehaviourOrder = Omit<SwitchMisbehaviour, 'name' | 'route'> &
  Readonly<{ name: AnyName; route?: RouteName | (string & {}) | undefined }>

/** The clock of one tenant. Moving it takes no real time and does not affect other tenants. */
export type TestClock = Readonly<{
  /** Current time of the tenant, in epoch seconds. */
  now: () => number
  /**
   * Advances the clock: seconds, or ISO 8601 such as `PT2H`. A scripted approver decides at the times
   * passed.
   */
  advance: (time: Input<typeof Duration>) => void
}>

/** A user with `jit.approve`: the first of the tenant, unless `by` names another. */
export type TestApprover = Readonly<{
  /** Scripts the approver from now on, such as `{ decision: 'approve', after_polls: 2 }`. */
  answers: (script: ApproverInput) => void
  /** The pending requests, as the issuer shows them to this user. */
  pending: (as?: { by?: string }) => Promise<({ request_id: string } & Record<string, unknown>)[]>
  /** Approves a request. */
  approve: (request: Named, how?: { ttl?: number; notes?: string; by?: string }) => Promise<void>
  /** Denies a request. */
  deny: (
    request: Named,
    how?: { reason?: string; agentMessage?: string; by?: string },
  ) => Promise<void>
  /** An access token of this user for the issuer. */
  token: (as?: { by?: string }) => Promise<string>
  /** A one-time sign-in URL of the approvals page for this user. */
  page: (as?: { by?: string }) => Promise<string>
}>

type EntryOf<T extends Entry['type']> = Extract<Entry, { type: T }>

/** A request: its id, or the answer to it. */
type Named = string | Readonly<{ request_id: string }>

/** The parts of the harness that a test tenant uses. */
export type Reach = Readonly<{
  find: (slug: string) => TenantContext | undefined
  reseed: (slug: string, seed: TenantSeed) => void
  delete: (slug: string) => void
  issuer: Core
  controlToken: string
  /** Waits between two attempts, in milliseconds. Default: real time. */
  pause?: (milliseconds: number) => Promise<unknown>
}>

/** Rules and clock are called directly; the approver's actions go through the HTTP handlers. */
export const testTenant = (created: TenantCreated, reach: Reach): TestTenant => {
  const { tenant: slug, urls } = created
  const find = () => reach.find(slug) ?? refuseDeletedTenant(slug)
  const control = (method: string, path: string, body?: unknown, attempts?: number) =>
    callIssuer(
      reach,
      reach.controlToken,
      method,
      `/_harness/tenants/${slug}${path}`,
      body,
      attempts,
    )

  // With a shared store, the owner of the tenant can end meanwhile; a second token does no harm.
  const mint = (path: string, by: string | undefined) =>
    control('POST', path, by === undefined ? {} : { user: by }, 10)

  const token: TestApprover['token'] = async ({ by } = {}) =>
    ((await mint('/user-token', by)) as { access_token: string }).access_token
  const page: TestApprover['page'] = async ({ by } = {}) =>
    ((await mint('/console-link', by)) as { url: string }).url
  const asApprover = async (by: string | undefined, method: string, path: string, body?: object) =>
    callIssuer(
      reach,
      await token(by === undefined ? {} : { by }),
      method,
      `${new URL(urls.tenant).pathname}${path}`,
      body,
    )

  return {
    ...created,
    clock: {
      now: () => find().tenant.clock.now(),
      advance: (time) => advanceClock(find(), parseOption('advance', Duration, time)),
    },
    approver: {
      token,
      page,
      answers: (input) => {
        const script = parseOption('approver', ApproverScript, input)
        const { tenant } = find()
        if (script.by !== undefined && findUser(tenant.state, script.by) === undefined) {
          throw new TypeError(`by: ${slug} has no user ${script.by}`)
        }
        tenant.happen([{ type: 'approver.scripted', script }])
      },
      pending: async ({ by } = {}) => {
        const all: ReturnType<typeof pendingIn> = []
        for (let page = 1; all.length === 100 * (page - 1); page += 1) {
          const list = await asApprover(by, 'GET', `/jit/pending?limit=100&page=${page}`)
          all.push(...pendingIn(PendingRequests.parse(list)))
        }
        return all
      },
      approve: async (request, { by, ...how } = {}) => {
        await asApprover(by, 'POST', `/jit/approve/${idOf(request)}`, how)
      },
      deny: async (request, { by, reason, agentMessage } = {}) => {
        const body = { reason, agent_message: agentMessage }
        await asApprover(by, 'POST', `/jit/deny/${idOf(request)}`, body)
      },
    },
    misbehave: async (order) => {
      const wanted = typeof order === 'string' ? { name: order } : order
      const why = await find().misbehaving.on(wanted)
      if (why !== undefined) throw new TypeError(why)
    },
    behave: () => find().misbehaving.off(),
    decideBy: (policy) => {
      find().tenant.happen([
        { type: 'policy.replaced', policy: parseOption('policy', Policy, policy) },
      ])
    },
    speak: (dialect) => {
      find().tenant.happen([
        { type: 'dialect.set', dialect: parseOption('dialect', Dialect, dialect) },
      ])
    },
    journal: () => find().tenant.journal.after(0),
    exchanges: () => find().exchanges.after(0),
    waitFor: (type, seconds = 5) => firstOf(find(), type, seconds),
    amend: (input) => {
      const {
        policy,
        dialect,
        approver = never,
        model,
        misbehave,
      } = parseOption('tenant', TenantSeed, input)
      const context = find()
      // Misbehaviours that the test switched on stay, unless the seed has its own.
      if (!isDeepStrictEqual(misbehave, context.seed.misbehave)) context.misbehaving.only(misbehave)
      context.seed = { ...context.seed, policy, dialect, approver, model, misbehave }
      context.model.script = model
      context.tenant.happen([
        { type: 'policy.replaced', policy: policy ?? Policy.parse({}) },
        { type: 'dialect.set', dialect },
        { type: 'approver.scripted', script: approver },
      ])
    },
    reset: (seed) =>
      reach.reseed(slug, seed ? parseOption('tenant', TenantSeed, seed) : find().seed),
    delete: () => reach.delete(slug),
  }
}

const never = ApproverScript.parse({ decision: 'ignore' })

const refuseDeletedTenant = (slug: string): never => {
  throw new Error(`the tenant ${slug} has been deleted`)
}

const idOf = (request: Named) => (typeof request === 'string' ? request : request.request_id)

/**
 * Calls the issuer or its control plane.
 * @param attempts how often a request is sent whose outcome is unknown (502), or while the store is
 * not available (503)
 * @throws {UsageError} when the owner of the tenant, another process, has another control token
 * @throws with the error_description of another error
 */
const callIssuer = async (
  { issuer, pause = setTimeout }: Pick<Reach, 'issuer' | 'pause'>,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  attempts = 1,
): Promise<unknown> => {
  const [pathname = '', query] = path.split('?')
  const answer = await issuer({
    method,
    path: pathname,
    query: new URLSearchParams(query),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? '' : JSON.stringify(body),
    isInternal: true,
  })
  const text = encodeAnswer(answer).body ?? ''
  const said = text === '' ? undefined : JSON.parse(text)
  if (answer.status < 400) return said
  if ((answer.status === 502 || answer.status === 503) && attempts > 1) {
    await pause(250)
    return callIssuer({ issuer, pause }, token, method, path, body, attempts - 1)
  }
  if (answer.status === 401 && path.startsWith('/_harness/')) {
    throw new UsageError(
      'the process that owns the tenant has another control token: start all processes of a shared journal with the same LUMOAUTH_HARNESS_CONTROL_TOKEN',
    )
  }
  throw new Error(`${method} ${path} was refused (${answer.status}): ${said?.error_description}`)
}

const firstOf = async <T extends Entry['type']>(
  { tenant: { journal, slug } }: TenantContext,
  type: T,
  seconds: number,
): Promise<EntryOf<T>> => {
  const isIt = (entry: Entry): entry is EntryOf<T> => entry.type === type
  const found =
    journal.after(0).find(isIt) ??
    (await waitForEntry(journal, isIt, { milliseconds: seconds * 1000 }))
  if (found !== undefined && isIt(found)) return found
  const last = journal.after(0).at(-1)?.type ?? 'nothing'
  throw new Error(`${slug}: no ${type} within ${seconds} s; the last event is ${last}`)
}
