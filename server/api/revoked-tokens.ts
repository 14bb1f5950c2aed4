import type { AccessTokenClaims } from '../wire/index.ts'

/**
 * What the issuer's signals said: which tokens and which tasks are over. Forgets an entry when no
 * token it speaks of can still be alive.
 */
export class RevokedTokens {
  readonly #until = new Map<string, number>()
  readonly #now: () => number
  #sweepAt = 1024

  /** @param now epoch seconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @param until when the token expires by itself; absent: the longest life of any token */
  revokeToken(jti: string, until = this.#now() + longestLife): void {
    this.#remember(`jti:${jti}`, until)
  }

  /** Every token of the task is over, those we have not seen included. */
  revokeTask(taskId: string, until = this.#now() + longestLife): void {
    this.#remember(`task:${taskId}`, until)
  }

  /**
   * Takes a security event token whose signature, issuer and audience have been checked.
   * `session-revoked` ends what its subject names, and so does `token-claims-change`: without
   * introspection nobody can tell what is left. Whatever else it says is not for us.
   */
  receive(set: SecurityEvent): void {
    if (!Object.keys(set.events).some((type) => ending.includes(type))) return
    for (const subject of subjectsOf(set.sub_id)) {
      if (subject.format === 'jwt_id' && typeof subject.jti === 'string') {
        this.revokeToken(subject.jti)
      }
      if (subject.format === 'opaque' && typeof subject.id === 'string') this.revokeTask(subject.id)
    }
  }

  has({ jti, task_id: taskId }: AccessTokenClaims): boolean {
    return this.#holds(`jti:${jti}`) || (taskId !== undefined && this.#holds(`task:${taskId}`))
  }

  #holds(name: string) {
    return this.#now() <= (this.#until.get(name) ?? 0)
  }

  #remember(name: string, until: number) {
    this.#until.set(name, Math.max(until, this.#until.get(name) ?? 0))
    if (this.#until.size < this.#sweepAt) return
    for (const [old, end] of this.#until) if (end < this.#now()) this.#until.delete(old)
    this.#sweepAt = Math.max(1024, 2 * this.#until.size)
  }
}

/** The claims of a SET that matter here (RFC 8417 §2.2, SSF 1.0 on `sub_id`). */
export type SecurityEvent = Readonly<{
  events: Readonly<Record<string, unknown>>
  sub_id?: Readonly<Record<string, unknown>> | undefined
}>

const longestLife = 86_400
const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const ending = [`${caep}session-revoked`, `${caep}token-claims-change`]

type Subject = Readonly<Record<string, unknown>>

/** A `complex` subject describes one principal by several members. */
const subjectsOf = (subject: Subject | undefined): readonly Subject[] => {
  if (subject === undefined) return []
  if (subject.format !== 'complex') return [subject]
  return Object.values(subject).filter(
    (member): member is Subject => member !== null && typeof member === 'object',
  )
}
