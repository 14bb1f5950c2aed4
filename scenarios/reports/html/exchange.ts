import { parseJson } from '../../../server/wire/json.ts'
import { type Markup, markup } from '../../../server/wire/markup.ts'
import { decode } from '../../language/decode.ts'
import type { Exchange } from '../../runner/exchange.ts'
import { answererOf, describeRequest, summarizeExchange } from '../exchange-summary.ts'

/** A collapsible request and answer, with all header fields decoded. */
export const exchangeOf = (exchange: Exchange, id: string, isCulprit: boolean): Markup => {
  const { request, answer, duration, violations } = exchange
  const answerer = answererOf(exchange)
  return markup`<details class="exchange ${toneOf(answer.status)}${isCulprit ? ' culprit' : ''}" id="${id}">
<summary><span class="path">${describeRequest(exchange)}</span><span class="status">${answer.status}</span><span class="seat">${summarizeExchange(exchange)}</span><span class="seat">${answerer === 'api' ? 'API' : answerer}</span></summary>
<div>
<p class="mono">${request.method} ${request.url} <span class="muted">${duration.toFixed(1)} ms</span></p>
${fieldsOf(request.headers)}${bodyOf(request.body)}
<p class="mono">${answer.status}</p>
${fieldsOf(answer.headers)}${challengeOf(answer.headers)}${bodyOf(answer.body)}
${violations.map(({ message }) => markup`<p class="got">Breaks its schema: ${message}</p>`)}
</div></details>
`
}

const toneOf = (status: number) => (status < 400 ? 'good' : status < 500 ? 'refused' : 'broken')

const fieldsOf = (headers: Exchange['answer']['headers']) =>
  markup`<dl>${Object.entries(headers).map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`

const challengeOf = ({
  'insufficient-authorization-details': encoded,
}: Exchange['answer']['headers']) => {
  const needed = encoded === undefined ? undefined : decode(encoded)
  return (
    needed !== undefined &&
    markup`<div><p class="muted">The challenge, decoded</p><pre>${JSON.stringify(needed)}</pre></div>`
  )
}

const bodyOf = (text: string): Markup | false =>
  text !== '' && markup`<pre>${short(readable(text))}</pre>`

/** JSON with line breaks, forms with a line for each field. */
const readable = (text: string): string => {
  const value = parseJson(text)
  if (value !== undefined) return JSON.stringify(value, null, 2)
  return /^[\w%+.-]+=[^\s]*(&|$)/.test(text) ? text.replaceAll('&', '\n&') : text
}

const short = (text: string, limit = 8000) =>
  text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters)` : text
