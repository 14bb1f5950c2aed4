import { setTimeout } from 'node:timers/promises'
import { JournalError } from '../journal/error.ts'
import type { AnyArea } from './core.ts'
import { errorAnswer } from './errors.ts'
import { type Forwarding, movedAnswer } from './forward.ts'
import type { Answer, HttpRequest } from './message.ts'

/** A request to a tenant of this process, which stays the owner until `leave`. */
type Here = Readonly<{
  at: 'here'
  /** Resolves when all events are stored and no other process has owned the tenant meanwhile. */
  durable: () => Promise<void>
  leave: () => void
}>

/** Addresses of a process for the other processes. Absent while it does not listen. */
type Addresses = Readonly<{ issuer?: string | undefined; api?: string | undefined }>

export type Visit = Here | (Readonly<{ at: 'elsewhere' }> & Addresses) | Readonly<{ at: 'nowhere' }>

/** The caller of `visit`. */
export type Visitor = Readonly<{
  /** The process that forwarded the request. */
  by?: string | undefined
  /** A request within another one, which already holds the tenant. */
  isInternal?: boolean | undefined
  /** Asks the store for the owner, even if it is known. */
  afresh?: boolean
}>

/** The tenants this process owns, in a store that several processes share. */
export type TenantOwnership = Readonly<{
  /**
   * Makes this process the owner of the tenant, unless another process is.
   * @throws {JournalError} while the store is not available
   */
  visit: (slug: string, visitor: Visitor) => Promise<Visit>
  /**
   * Addresses of the tenant's owner, if there is one.
   * @throws {JournalError}
   */
  ownerOf: (slug: string) => Promise<Addresses | undefined>
  /**
   * Resolves when all events so far are stored.
   * @throws {JournalError}
   */
  durable: () => Promise<void>
  forwarding: Forwarding
}>

export type OwnTenantOptions = Readonly<{
  seat: 'issuer' | 'api'
  tenants: TenantOwnership
  /** The possible tenants of a request; the first that exists is used. */
  slugsOf: (request: HttpRequest, params: Readonly<Record<string, string>>) => readonly string[]
}>

/** Runs around every handler of a tenant. */
export type OwnTenant = (
  call: Readonly<{
    request: HttpRequest
    params: Readonly<Record<string, string>>
    area: Pick<AnyArea, 'tenantByPath'>
  }>,
  answer: (request: HttpRequest) => Promise<Answer>,
) => Promise<Answer>

/** Milliseconds within which the owner of a tenant must be found. */
const patience = 8000

/** Milliseconds between two checks of a tenant's owner. */
const watchEvery = 1000

/**
 * Answers a request in the process that owns its tenant: here, or forwarded to the owner. Sends the
 * answer after its events are stored; 503 when they cannot be.
 */
export const ownTenant =
  ({ seat, tenants, slugsOf }: OwnTenantOptions): OwnTenant =>
  async ({ request: received, params, area }, answer) => {
    const forwarded = tenants.forwarding.read(received)
    const request = forwarded?.request ?? received
    const isAboutAll = params.tenant === undefined && area.tenantByPath
    const slugs = isAboutAll ? [] : slugsOf(request, params)
    try {
      const visitor = { by: forwarded?.by, isInternal: request.isInternal }
      const end = performance.now() + patience
      for (let afresh = false; performance.now() < end; afresh = true) {
        const [slug, visit] = await visitFirst(tenants, slugs, {
          ...visitor,
          afresh,
        })
        if (visit.at === 'nowhere') {
          const answered = await answer(request)
          await tenants.durable()
          return answered
        }
        if (visit.at === 'here') {
          try {
            const answered = await answer(request)
            await visit.durable()
            return answered
          } finally {
            visit.leave()
          }
        }
        const owner = visit[seat]
        if (forwarded || owner === undefined) return movedAnswer(unavailable(notOwner))
        const sent = await forward(tenants, slug, owner, seat, request)
        if (sent !== 'again') return sent
        await setTimeout(20)
      }
      return unavailable(notOwner)
    } catch (failed) {
      if (!(failed instanceof JournalError)) throw failed
      return unavailable('the store is not available at the moment; no change was acknowledged')
    }
  }

const visitFirst = async (
  { visit }: TenantOwnership,
  slugs: readonly string[],
  visitor: Visitor,
): Promise<readonly [string, Visit]> => {
  for (const slug of slugs) {
    const visited = await visit(slug, visitor)
    if (visited.at !== 'nowhere') return [slug, visited]
  }
  return ['', { at: 'nowhere' }]
}

/**
 * The answer of the owner. When the connection breaks, only requests that change nothing are sent
 * again, so that no change happens twice.
 */
const forward = async (
  { ownerOf, forwarding }: TenantOwnership,
  slug: string,
  owner: string,
  seat: 'issuer' | 'api',
  request: HttpRequest,
): Promise<Answer | 'again'> => {
  const isOwner = async () => {
    const addresses = await ownerOf(slug).catch(() => undefined)
    return addresses?.[seat] === owner
  }
  const gone = new AbortController()
  const watch = setInterval(async () => {
    if (!(await isOwner())) gone.abort()
  }, watchEvery)
  watch.unref()
  const sent = await forwarding
    .send(owner, request, gone.signal)
    .finally(() => clearInterval(watch))
  if (sent === 'moved') return 'again'
  if (sent !== 'broken') return sent
  if (!gone.signal.aborted) {
    await setTimeout(50)
    // The owner is running and closed the connection on purpose.
    if (await isOwner()) return { status: 502, fault: { breaks: 'before' } }
  }
  if (request.method === 'GET' || request.method === 'HEAD') return 'again'
  return errorAnswer(
    502,
    'temporarily_unavailable',
    'the process of this tenant ended before it answered; the request may have been handled',
  )
}

const notOwner = 'another process owns this tenant and cannot be reached at the moment'

const unavailable = (why: string): Answer =>
  errorAnswer(503, 'temporarily_unavailable', why, {}, { 'retry-after': '1' })
