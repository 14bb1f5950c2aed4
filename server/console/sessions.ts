import { createHash, randomBytes } from 'node:crypto'
import { BoundedMap } from '../wire/bounded-map.ts'

/** The user of a session, and whether it also has the rights of the control token. */
export type Seat = Readonly<{ userId: string | undefined; operator: boolean }>

export type Session = Seat & Readonly<{ csrfToken: string; until: number }>

/** Real seconds, independent of the tenant's clock, because people use the page. */
const sessionLifetime = 12 * 3600
const inviteLifetime = 8 * 3600
const kept = 1000

/**
 * The sessions of the approvals page of one tenant, and its unused sign-in codes. Stores only digests,
 * and only the newest thousand.
 */
export class Sessions {
  readonly #sessions = new BoundedMap<string, Session>(kept)
  readonly #invitations = new BoundedMap<string, Seat & Readonly<{ until: number }>>(kept)
  readonly #now: () => number

  constructor(now: () => number = () => Date.now() / 1000) {
    this.#now = now
  }

  /** A code that opens one session. It works once. */
  invite(seat: Seat): { code: string; expiresIn: number } {
    const code = secret()
    this.#invitations.set(digest(code), { ...seat, until: this.#now() + inviteLifetime })
    return { code, expiresIn: inviteLifetime }
  }

  /** @returns the session of a code; undefined when the code is used, expired or unknown */
  redeem(code: string): Seat | undefined {
    const invitation = this.#invitations.get(digest(code))
    this.#invitations.delete(digest(code))
    return invitation && this.#now() < invitation.until ? invitation : undefined
  }

  /** @returns the id of the session, for the browser's cookie */
  open({ userId, operator }: Seat): { id: string; lifetime: number } {
    const id = secret()
    const until = this.#now() + sessionLifetime
    this.#sessions.set(digest(id), { userId, operator, until, csrfToken: secret() })
    return { id, lifetime: sessionLifetime }
  }

  find(id: string): Session | undefined {
    const session = this.#sessions.get(digest(id))
    return session && this.#now() < session.until ? session : undefined
  }

  close(id: string): void {
    this.#sessions.delete(digest(id))
  }
}

const secret = () => randomBytes(24).toString('base64url')

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
