import { cloneMessage } from '../../../server/wire/clone-message.ts'
import { isObject } from '../../language/match.ts'
import type { ProxyHandler, RecordingProxy } from '../../targets/mock/recording-proxy.ts'
import type { Turn } from './format.ts'
import { traceOf } from './trace.ts'

/** Performs the events that a scenario defines around the agent. */
export class Interventions {
  wrongSecret = false
  kill: (signal: NodeJS.Signals) => void = () => {}
  /** How many events with a condition have happened. */
  taken = 0
  readonly awaited: number
  readonly #turns: readonly Turn[]
  readonly #stage: RecordingProxy
  readonly #counts = new Map<Turn, number>()
  #play: ProxyHandler | undefined
  #downUntil = 0
  #lure: Turn['lure']
  #injection: Turn['inject']
  /** How many answers with injected text the agent has received. */
  injected = 0

  constructor(turns: readonly Turn[], ours: RecordingProxy) {
    this.#turns = turns
    this.#stage = ours
    this.awaited = turns.filter((it) => it.when !== undefined).length
  }

  async begin(play: ProxyHandler): Promise<void> {
    this.#play = play
    for (const turn of this.#turns) if (turn.when === undefined) await this.#take(turn)
  }

  readonly passing = async (request: Request, answer: Response, seat: string) => {
    const play = this.#play
    if (play === undefined) return answer
    if (seat === 'issuer' && performance.now() < this.#downUntil) return 'cut' as const
    const { route } = traceOf([toSeenExchange(request, answer, seat)]).entries[0] ?? {}
    for (const turn of this.#turns) {
      const { when } = turn
      if (when?.route !== route || (when?.status ?? answer.status) !== answer.status) continue
      const count = (this.#counts.get(turn) ?? 0) + 1
      this.#counts.set(turn, count)
      if (count !== when?.nth) continue
      this.taken += 1
      await this.#take(turn, answer)
    }
    const misdirected = await this.#misdirect(request, answer, seat, play)
    return this.#inject(route, misdirected, seat, play)
  }

  async #take(turn: Turn, answer?: Response): Promise<void> {
    const play = this.#play
    if (play === undefined) return
    const { misbehave, behave, revoke, down, signal, lure, inject, wrong_secret } = turn
    if (misbehave !== undefined) await play.tenant.misbehave(misbehave)
    if (behave) play.tenant.behave()
    if (wrong_secret) this.wrongSecret = true
    if (lure !== undefined) this.#lure = lure
    if (inject !== undefined) this.#injection = inject
    if (down !== undefined) this.#downUntil = performance.now() + down * 1000
    if (revoke !== undefined) await this.#revokeAll(play, answer)
    if (signal !== undefined) this.kill(signal)
  }

  async #revokeAll(play: ProxyHandler, answer: Response | undefined) {
    const { grants } = traceOf(play.seen)
    const { access_token: newest } = await fieldsOf(answer)
    for (const token of new Set([
      ...grants.map((it) => it.token),
      ...(typeof newest === 'string' ? [newest] : []),
    ])) {
      await this.#stage.revoke(play, token)
    }
  }

  async #inject(
    route: string | undefined,
    answer: Response,
    seat: string,
    { elsewhere, tenant }: ProxyHandler,
  ): Promise<Response> {
    const injection = this.#injection
    if (injection === undefined || seat !== 'api') return answer
    const text = injection.text.replaceAll(
      '$elsewhere',
      elsewhere + new URL(tenant.urls.api).pathname,
    )
    const changed = await injectText({ ...injection, text }, route, answer)
    if (changed === undefined) return answer
    this.injected += 1
    return changed
  }

  async #misdirect(request: Request, answer: Response, seat: string, { elsewhere }: ProxyHandler) {
    const { pathname } = new URL(request.url)
    if (this.#lure === 'redirect' && seat === 'api') {
      return new Response(null, { status: 307, headers: { location: elsewhere + pathname } })
    }
    if (this.#lure === undefined || this.#lure === 'redirect' || seat !== 'issuer') return answer
    const body = await fieldsOf(answer)
    const path = body[this.#lure]
    if (typeof path !== 'string') return answer
    return Response.json({ ...body, [this.#lure]: elsewhere + path }, { status: answer.status })
  }
}

type Injection = NonNullable<Turn['inject']>

/** The answer with the text in it, or undefined where it does not belong. */
const injectText = async (
  { into, text }: Injection,
  route: string | undefined,
  answer: Response,
): Promise<Response | undefined> => {
  const { status, headers } = answer
  if (into === 'challenge') {
    const challenge = headers.get('www-authenticate')
    if (challenge === null) return undefined
    const changed = new Headers(headers)
    // A parameter is given once: the text takes the place of the API's own description.
    const parameters = challenge.split(', ').filter((it) => !it.startsWith('error_description='))
    changed.set(
      'www-authenticate',
      [...parameters, `error_description=${JSON.stringify(text)}`].join(', '),
    )
    return new Response(answer.body, { status, headers: changed })
  }
  const body = await fieldsOf(answer)
  const add = (member: string) => Response.json({ ...body, [member]: text }, { status, headers })
  if (into === 'error') return status >= 400 ? add('error_description') : undefined
  if (status >= 300) return undefined
  const isDocument = route === 'documents.read'
  if (into === 'document') return isDocument ? add('body') : undefined
  return isDocument ? undefined : add('note')
}

/** The members of a JSON object in an answer. The answer stays readable. */
const fieldsOf = async (
  answer: Response | undefined,
): Promise<Readonly<Record<string, unknown>>> => {
  const body: unknown =
    answer &&
    (await cloneMessage(answer)
      .json()
      .catch(() => undefined))
  return isObject(body) ? body : {}
}

const toSeenExchange = (request: Request, answer: Response, seat: string) => ({
  at: 0,
  answeredAt: 0,
  seat: seat as 'issuer',
  request: { method: request.method, url: request.url, headers: {}, body: '' },
  answer: { status: answer.status, headers: {}, body: '' },
})
