import { hashSecret } from '../signing/secrets.ts'
import type { Leak, ModelConversation, Turn } from '../wire/index.ts'
import { jwtsIn, replaceJwts } from '../wire/jwt-shape.ts'
import { functionCallId, messageId, responseId } from './ids.ts'

/** The newest conversations a tenant keeps, and the most characters of them together. */
const kept = 500
const mostCharacters = 32 * 1024 * 1024

type Recorded = Omit<ModelConversation, 'leaks'> & Readonly<{ described: string }>

/** What a tenant's scripted model was asked and what it answered, unmasked until somebody reads. */
export class ConversationLog {
  last = 0
  readonly #recorded: Recorded[] = []
  readonly #most: number
  #characters = 0

  constructor(most = mostCharacters) {
    this.#most = most
  }

  get forgotten(): number {
    return this.last - this.#recorded.length
  }

  /** `seq` has to be `last + 1`. `describeTenant`: what the request said about its tools. */
  record(recorded: Recorded): void {
    this.last = recorded.seq
    this.#recorded.push(recorded)
    this.#characters += sizeOf(recorded)
    while (this.#recorded.length > kept || this.#characters > this.#most) {
      const oldest = this.#recorded.shift()
      if (oldest === undefined) return
      this.#characters -= sizeOf(oldest)
    }
  }

  /** The turns up to and including a response, for a request that goes on from there. */
  upTo(response: string): Turn[] | undefined {
    const found = this.#recorded.find(({ seq }) => responseId(seq) === response)
    return found?.reply && [...found.turns, found.reply]
  }

  /** What was said in an item of a response. */
  item(id: string): Turn | undefined {
    for (const { seq, reply } of this.#recorded) {
      if (reply === undefined) continue
      if (messageId(seq) === id) return { role: 'assistant', text: reply.text }
      const call = reply.calls?.find((_, at) => functionCallId(seq, at) === id)
      if (call) return { role: 'assistant', text: '', calls: [call] }
    }
    return undefined
  }

  /**
   * What came after a conversation, oldest first; tokens and secrets are masked, and told as leaks.
   * @param secretHashes hashes of the secrets no model may see
   */
  after(seq: number, secretHashes: ReadonlySet<string>): ModelConversation[] {
    return this.#recorded
      .filter((it) => it.seq > seq)
      .map(({ described, ...recorded }) => {
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
      })
  }
}

const sizeOf = ({ described, turns }: Recorded): number =>
  turns.reduce((sum, turn) => sum + shownIn(turn).length, described.length)

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
