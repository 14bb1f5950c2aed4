import { parseJson } from '../../../server/wire/json.ts'
import { type Markup, markup, textBetweenTags } from '../../../server/wire/markup.ts'
import { decode } from '../../language/decode.ts'
import type { Exchange } from '../../runner/exchange.ts'
import { answererOf, describeRequest, summarizeExchange } from '../exchange-summary.ts'

/** How a report writes an exchange down. */
export type Writing = Readonly<{
  /** Without the header fields of every message, and with long bodies cut: half the size. */
  isBrief: boolean
  /** Writes the addresses that every line of a scenario has in a shorter form. */
  shorten: (text: string) => string
}>

const inFull: Writing = { isBrief: false, shorten: (text) => text }

/** A collapsible request and answer. */
export const exchangeOf = (
  exchange: Exchange,
  id: string,
  isCulprit: boolean,
  { isBrief, shorten }: Writing = inFull,
): Markup => {
  const { request, answer, duration, violations } = exchange
  const answerer = answererOf(exchange)
  const longest = !isBrief ? 8000 : answerer === 'harness' ? 300 : 700
  const headers = (fields: Fields) => fieldsOf(fields, isBrief, shorten)
  const body = (text: string) => bodyOf(shorten(text), longest)
  return markup`<details class="exchange ${toneOf(answer.status)}${isCulprit ? ' culprit' : ''}" id="${id}">
<summary><span class="path">${describeRequest(exchange)}</span><b>${answer.status}</b><i>${summarizeExchange(exchange)}</i><i>${answerer === 'api' ? 'API' : answerer}</i></summary>
<div><p class="mono">${request.method} ${shorten(request.url)} <i>${duration.toFixed(1)} ms</i></p>${headers(request.headers)}${body(request.body)}<hr>${headers(answer.headers)}${challengeOf(answer.headers)}${body(answer.body)}${violations.map(({ message }) => markup`<p class="got">Breaks its schema: ${message}</p>`)}</div></details>
`
}

type Fields = Exchange['answer']['headers']

const toneOf = (status: number) => (status < 400 ? 'good' : status < 500 ? 'refused' : 'broken')

const fieldsOf = (fields: Fields, isBrief: boolean, shorten: Writing['shorten']) => {
  const shown = Object.entries(fields).filter(
    ([name, value]) => !isBrief || !(ofEveryMessage.has(name) || usual.get(name)?.has(value)),
  )
  return (
    shown.length > 0 &&
    markup`<p class="fields">${shown.map(([name, value]) => markup`<i>${name}</i> ${textBetweenTags(shorten(value))}\n`)}</p>`
  )
}

/** What says nothing of an exchange: how it travelled, and when. */
const ofEveryMessage = new Set([
  'access-control-expose-headers',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'pragma',
])

const form = 'application/x-www-form-urlencoded'

/** What nearly every message says. */
const usual = new Map([
  ['content-type', new Set(['application/json; charset=utf-8', 'application/json', form])],
  ['cache-control', new Set(['no-store'])],
  ['access-control-allow-origin', new Set(['*'])],
])

const challengeOf = ({
  'insufficient-authorization-details': encoded,
}: Exchange['answer']['headers']) => {
  const needed = encoded === undefined ? undefined : decode(encoded)
  return (
    needed !== undefined &&
    markup`<div><p class="muted">The challenge, decoded</p><pre>${textBetweenTags(JSON.stringify(needed))}</pre></div>`
  )
}

const bodyOf = (text: string, longest: number): Markup | false =>
  text !== '' && markup`<pre>${textBetweenTags(short(readable(text), longest))}</pre>`

/** JSON with a line for each member, forms with a line for each field. */
const readable = (text: string): string => {
  const value = parseJson(text)
  if (value !== undefined) return memberALine(value)
  return /^[\w%+.-]+=[^\s]*(&|$)/.test(text) ? text.replaceAll('&', '\n&') : text
}

/** JSON with a line for each member of the outermost object or array. */
export const memberALine = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const isList = Array.isArray(value)
  const lines = Object.entries(value).map(
    ([name, it]) => ` ${isList ? '' : `${JSON.stringify(name)}: `}${JSON.stringify(it)}`,
  )
  const [open, close] = isList ? '[]' : '{}'
  return lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join(',\n')}\n${close}`
}

const short = (text: string, longest: number) =>
  text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text
