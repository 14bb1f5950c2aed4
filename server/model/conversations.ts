import { setImmediate } from 'node:timers/promises'
import { isKnown, maskKnown, type SecretHashes, secretWord } from '../signing/known-secrets.ts'
import type { Leak, ModelConversation, ModelConversations, Turn } from '../wire/index.ts'
import { jwtsIn, replaceJwts } from '../wire/jwt-shape.ts'
import { firstPage, placeAfter } from '../wire/log-page.ts'
import { sizeOf } from '../wire/size-of.ts'
import { functionCallId, messageId, responseId } from './ids.ts'

/** Number of newest conversations a tenant keeps, and maximum bytes of all together. */
const kept = 500
const mostBytes = 16 * 1024 * 1024

type Recorded = Omit<ModelConversation, 'leaks'> & Readonly<{ described: string }>

/** With its approximate size in bytes. */
type Kept = Recorded & Readonly<{ size: number }>

/** The conversations of a tenant's scripted model. Secrets are masked on reading. */
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

  /** `seq` must be `last + 1`. */
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

  /** The turns up to and including a response, for a request that continues from it. */
  upTo(response: string): Turn[] | undefined {
    const found = this.#named(response)
    if (found?.reply === undefined || responseId(found.seq) !== response) return undefined
    return [...found.turns, found.reply]
  }

  /** The turn of an item in a response. */
  item(id: string): Turn | undefined {
    const { seq = 0, reply } = this.#named(id) ?? {}
    if (reply === undefined) return undefined
    if (messageId(seq) === id) return { role: 'assistant', text: reply.text }
    const call = reply.calls?.find((_, at) => functionCallId(seq, at) === id)
    return call && { role: 'assistant', text: '', calls: [call] }
  }

  /** The conversation whose number is in an id. Conversations are stored in the order of their numbers. */
  #named(id: string): Kept | undefined {
    const [, seq = 0] = /^[a-z]+_(\d+)/.exec(id) ?? []
    return this.#recorded[Number(seq) - this.forgotten - 1]
  }

  /**
   * The first page of conversations after a number, oldest first, with tokens and secrets masked and
   * reported as leaks. Yields to other requests, because each word of a long text is hashed.
   * @param secretHashes hashes of the secrets that no model may receive
   */
  async pageAfter(seq: number, secretHashes: SecretHashes): Promise<ModelConversations> {
    const all = this.#recorded.filter((it) => it.seq > seq)
    const page = firstPage(all, ({ size }) => size)
    const place = placeAfter(page, page.length === all.length, this)
    const conversations: ModelConversation[] = []
    for (const kept of page) conversations.push(await maskConversation(kept, secretHashes))
    return { conversations, ...place }
  }
}

/** Masks the secrets of a conversation and reports them as leaks. */
const maskConversation = async (
  { described, size: _, ...recorded }: Kept,
  secretHashes: SecretHashes,
): Promise<ModelConversation> => {
  const { reply, error } = recorded
  const turns: Turn[] = []
  const leaks = await findLeaksIn(described, -1, secretHashes)
  for (const [at, turn] of recorded.turns.entries()) {
    turns.push(await maskTurn(turn, secretHashes))
    leaks.push(...(await findLeaksIn(shownIn(turn), at, secretHashes)))
    if (at % 100 === 99) await setImmediate()
  }
  return {
    ...recorded,
    turns,
    ...(reply ? { reply: await maskTurn(reply, secretHashes) } : {}),
    ...(error === undefined ? {} : { error: await maskLongText(error, secretHashes) }),
    leaks,
  }
}

const shownIn = ({ text, calls = [] }: Turn) => `${text}\n${JSON.stringify(calls)}`

const maskText = (text: string, secretHashes: SecretHashes) =>
  maskKnown(replaceJwts(text, '***'), secretHashes)

/** Splits a text, never within a word or a JWT. */
function* piecesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    delimiter.lastIndex = from + pieceLength
    const end = delimiter.exec(text)?.index ?? text.length
    yield text.slice(from, end)
    from = end
  }
}

const pieceLength = 16 * 1024
const delimiter = /[\s"'`\\,;:=(){}<>[\]?&#]/g

const maskLongText = async (text: string, secretHashes: SecretHashes): Promise<string> => {
  const masked: string[] = []
  for (const piece of piecesOf(text)) {
    masked.push(maskText(piece, secretHashes))
    if (piece.length >= pieceLength) await setImmediate()
  }
  return masked.join('')
}

const maskTurn = async (turn: Turn, secretHashes: SecretHashes): Promise<Turn> =>
  JSON.parse(await maskLongText(JSON.stringify(turn), secretHashes))

const findLeaksIn = async (
  text: string,
  turn: number,
  secretHashes: SecretHashes,
): Promise<Leak[]> => {
  const leaks: Leak[] = []
  for (const piece of piecesOf(text)) {
    leaks.push(...findLeaks(piece, turn, secretHashes))
    if (piece.length >= pieceLength) await setImmediate()
  }
  return leaks
}

const findLeaks = (text: string, turn: number, secretHashes: SecretHashes): Leak[] => [
  ...jwtsIn(text).map(() => ({ turn, kind: 'jwt' as const })),
  ...(text.match(secretWord) ?? [])
    .filter((it) => isKnown(it, secretHashes))
    .map(() => ({ turn, kind: 'client_secret' as const })),
]
