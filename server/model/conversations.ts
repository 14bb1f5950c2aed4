import { hashSecret } from '../signing/secrets.ts'
import type { Leak, ModelConversation, ModelConversations, Turn } from '../wire/index.ts'
import { jwtsIn, replaceJwts } from '../wire/jwt-shape.ts'
import { firstPage, placeAfter } from '../wire/log-page.ts'
import { sizeOf } from '../wire/size-of.ts'
import { functionCallId, messageId, responseId } from './ids.ts'

/** The newest conversations a tenant keeps, and the most bytes of them together. */
const kept = 500
const mostBytes = 16 * 1024 * 1024

type Recorded = Omit<ModelConversation, 'leaks'> & Readonly<{ described: string }>

/** With the bytes it takes, more or less. */
type Kept = Recorded & Readonly<{ size: number }>

/** What a tenant's scripted model was asked and what it answered, unmasked until somebody reads. */
export class ConversationLog {
  last = 0
  readonly #recorded: Kept[] = []
  readonly #most: number
  #bytes = 0

  constructor(most = mostBytes) {
    this.#most = most
  }

  get forgotten(): number {
    return this.last - this.#recorded.length
  }

  /** `seq` has to be `last + 1`. `describeTenant`: what the request said about its tools. */
  record(recorded: Recorded): void {
    this.last = recorded.seq
    const size = sizeOf(recorded)
    this.#recorded.push({ ...recorded, size })
    this.#bytes += size
    while (this.#recorded.length > kept || this.#bytes > this.#most) {
      const oldest = this.#recorded.shift()
      if (oldest === undefined) return
      this.#bytes -= oldest.size
    }
  }

  /** The turns up to and including a response, for a request that goes on from there. */
  upTo(response: string): Turn[] | undefined {
    const found = this.#named(response)
    if (found?.reply === undefined || responseId(found.seq) !== response) return undefined
    return [...found.turns, found.reply]
  }

  /** What was said in an item of a response. */
  item(id: string): Turn | undefined {
    const { seq = 0, reply } = this.#named(id) ?? {}
    if (reply === undefined) return undefined
    if (messageId(seq) === id) return { role: 'assistant', text: reply.text }
    const call = reply.calls?.find((_, at) => functionCallId(seq, at) === id)
    return call && { role: 'assistant', text: '', calls: [call] }
  }

  /** The conversation whose number an id holds: conversations stand in the order of their numbers. */
  #named(id: string): Kept | undefined {
    const [, seq = 0] = /^[a-z]+_(\d+)/.exec(id) ?? []
    return this.#recorded[Number(seq) - this.forgotten - 1]
  }

  /**
   * What came after a conversation, oldest first; tokens and secrets are masked, and told as leaks.
   * @param secretHashes hashes of the secrets no model may see
   */
  after(seq: number, secretHashes: ReadonlySet<string>): ModelConversation[] {
    return this.#after(seq).map((it) => maskConversation(it, secretHashes))
  }

  /** The first page of that. */
  pageAfter(seq: number, secretHashes: ReadonlySet<string>): ModelConversations {
    const all = this.#after(seq)
    const page = firstPage(all, ({ size }) => size)
    return {
      conversations: page.map((it) => maskConversation(it, secretHashes)),
      ...placeAfter(page, page.length === all.length, this),
    }
  }

  #after(seq: number): readonly Kept[] {
    return this.#recorded.filter((it) => it.seq > seq)
  }
}

/** Without its secrets, and with what it should not have held. */
const maskConversation = (
  { described, size: _, ...recorded }: Kept,
  secretHashes: ReadonlySet<string>,
): ModelConversation => {
  const { turns, reply, error } = recorded
  return {
    ...recorded,
    turns: turns.map((turn) => maskTurn(turn, secretHashes)),
    ...(reply ? { reply: maskTurn(reply, secretHashes) } : {}),
    ...(error === undefined ? {} : { error: maskText(error, secretHashes) }),
    leaks: [
      ...findLeaks(described, -1, secretHashes),
      ...turns.flatMap((turn, at) => findLeaks(shownIn(turn), at, secretHashes)),
    ],
  }
}

const shownIn = ({ text, calls = [] }: Turn) => `${text}\n${JSON.stringify(calls)}`

const word = /[^\s"'`\\,;:=(){}<>[\]]{8,}/g

const maskText = (text: string, secretHashes: ReadonlySet<string>) =>
  replaceJwts(text, '***').replace(word, (it) => (secretHashes.has(hashSecret(it)) ? '***' : it))

const maskTurn = (turn: Turn, secretHashes: ReadonlySet<string>): Turn =>
  JSON.parse(maskText(JSON.stringify(turn), secretHashes))

const findLeaks = (text: string, turn: number, secretHashes: ReadonlySet<string>): Leak[] => [
  ...jwtsIn(text).map(() => ({ turn, kind: 'jwt' as const })),
  ...(text.match(word) ?? [])
    .filter((it) => secretHashes.has(hashSecret(it)))
    .map(() => ({ turn, kind: 'client_secret' as const })),
]
