import { type Markup, markup } from '../../server/wire/markup.ts'
import type { Exchange } from '../runner/exchange.ts'
import type { Result } from '../runner/verdict.ts'
import {
  answererOf,
  bearerOf,
  describeRequest,
  type Part,
  senderOf,
  summarizeExchange,
} from './exchange-summary.ts'

/** The exchanges of a scenario as a sequence diagram, in SVG; `link` makes the target of each arrow. */
export const diagram = (
  { exchanges, failures }: Pick<Result, 'exchanges' | 'failures'>,
  link: (index: number) => string,
): Markup | undefined => {
  const shown = exchanges.slice(0, most)
  const { lanes, at, width } = placesOf(shown)
  if (lanes.length < 2) return undefined

  const culprits = failures.map((it) => it.exchange)

  let y = 52
  const rows: Markup[] = []
  for (const [index, it] of shown.entries()) {
    const answerer = answererOf(it)
    const drawn =
      answerer === 'harness' ? note(it, y, width) : arrows(it, at(senderOf(it)), at(answerer), y)
    const first = shown[index - 1]?.step !== it.step
    rows.push(
      markup`<a href="#${link(index)}" class="${toneOf(it)}${culprits.includes(index) ? ' culprit' : ''}">${first && markup`<text class="step" x="6" y="${y + 4}">${it.step}</text>`}${drawn.svg}</a>`,
    )
    y += drawn.height
  }
  const bottom = y + 6
  const more = exchanges.length - shown.length
  return markup`<svg class="diagram" viewBox="0 0 ${width} ${bottom + (more > 0 ? 24 : 4)}" role="group" aria-label="Sequence of ${exchanges.length} exchanges">${lanes.map(
    (part) =>
      markup`<line class="lane" x1="${at(part)}" y1="34" x2="${at(part)}" y2="${bottom}"/><rect class="head" x="${at(part) - 52}" y="6" width="104" height="26" rx="13"/><text class="head" x="${at(part)}" y="23">${names[part]}</text>`,
  )}${rows}${more > 0 && markup`<text class="more" x="${width / 2}" y="${bottom + 16}">and ${more} more exchanges</text>`}</svg>`
}

/** A longer diagram would be unreadable. */
const most = 60

const order: readonly Part[] = ['person', 'model', 'agent', 'issuer', 'api']

const names: Readonly<Record<Part, string>> = {
  person: 'Person',
  model: 'Model',
  agent: 'Agent',
  issuer: 'Issuer',
  api: 'API',
  harness: 'Harness',
}

const arrows = (exchange: Exchange, from: number, to: number, y: number) => {
  const { answer } = exchange
  const token = bearerOf(exchange)
  const middle = (from + to) / 2
  const room = Math.floor(Math.abs(to - from) / 6.9) - 2
  const said = [answer.status, summarizeExchange(exchange)].filter((it) => it !== '').join(' ')
  return {
    height: 52,
    svg: markup`<text class="ask" x="${middle}" y="${y}">${short(describeRequest(exchange), room)}</text>${
      token !== undefined && markup`<title>with ${token}</title>`
    }<use href="#${arrowId(from, to)}" y="${y}"/>${
      token?.startsWith('‹jit') && markup`<circle class="jit" cx="${from}" cy="${y + 6}" r="4"/>`
    }<text class="say" x="${middle}" y="${y + 22}">${short(said, room)}</text>`,
  }
}

const arrowId = (from: number, to: number) => `a${from}-${to}`

/** The arrows that the diagrams of a page refer to: one shape for each two places. */
export const arrowShapes = (results: readonly Pick<Result, 'exchanges'>[]): Markup => {
  const pairs = new Map(
    results.flatMap((result) => {
      const { lanes, at } = placesOf(result.exchanges.slice(0, most))
      return lanes.flatMap((from) =>
        lanes
          .filter((to) => to !== from)
          .map((to) => [arrowId(at(from), at(to)), [at(from), at(to)] as const] as const),
      )
    }),
  )
  return markup`<svg class="shapes" width="0" height="0" aria-hidden="true"><defs>${[...pairs].map(
    ([id, [from, to]]) => {
      const way = to > from ? 1 : -1
      return markup`<g id="${id}"><rect fill="none" stroke="none" pointer-events="all" x="${Math.min(from, to)}" y="-12" width="${Math.abs(to - from)}" height="44"/><path d="M${from} 6H${to}l${-way * 7} -4m0 8l${way * 7} -4M${from + way * 7} 24l${-way * 7} 4l${way * 7} 4"/><path stroke-dasharray="4 3" d="M${to} 28H${from}"/></g>`
    },
  )}</defs></svg>`
}

/** The participants of some exchanges, and where each has its lane. */
const placesOf = (exchanges: readonly Exchange[]) => {
  const lanes = order.filter((part) =>
    exchanges.some((it) => answererOf(it) === part || senderOf(it) === part),
  )
  const gap = lanes.length > 3 ? 218 : lanes.length > 2 ? 300 : 460
  return {
    lanes,
    at: (part: Part) => left + 40 + gap * Math.max(0, lanes.indexOf(part)),
    width: left + gap * (lanes.length - 1) + 110,
  }
}

const left = 44

/** A request to the control plane, such as the clock, as a line across all lanes. */
const note = (exchange: Exchange, y: number, width: number) => ({
  height: 30,
  svg: markup`<rect class="note" x="40" y="${y - 13}" width="${width - 52}" height="20" rx="4"/><text class="note" x="${40 + (width - 52) / 2}" y="${y + 1}">${short(`${describeRequest(exchange)} ${exchange.request.body}`, Math.floor((width - 70) / 6.9))}</text>`,
})

const toneOf = (exchange: Exchange): string => {
  const { status } = exchange.answer
  if (answererOf(exchange) === 'harness') return 'aside'
  return status < 400 ? 'good' : status < 500 ? 'refused' : 'broken'
}

const short = (text: string, room: number): string =>
  text.length > room ? `${text.slice(0, Math.max(1, room - 1))}…` : text
