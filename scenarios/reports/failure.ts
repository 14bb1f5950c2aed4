import { inertText } from '../../server/wire/inert-text.ts'
import { placeOf } from '../language/source.ts'
import type { Exchange } from '../runner/exchange.ts'
import type { Failure, Result } from '../runner/verdict.ts'
import { answererOf, bearerOf, grantText, neededOf } from './exchange-summary.ts'

/** A failure as paragraphs of plain text: what, where, the difference, the exchange. Foreign text is inert. */
export const failureText = (failure: Failure, { exchanges, tokens }: Result): string => {
  const exchange = failure.exchange === undefined ? undefined : exchanges[failure.exchange]
  const text = [
    // The scenario of an agent has no step that failed: the agent's own call says where.
    failure.code === 'rule' ? failure.message : `${placeOf(failure.at)}: ${failure.message}`,
    failure.code === 'rule' && exchange !== undefined
      ? `in call ${exchange.step} of ${exchanges.length}:`
      : '',
    failure.excerpt,
    failure.differences.map(differenceText).join('\n'),
    exchange === undefined ? '' : exchangeText(exchange, tokens),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
  return inertText(text)
}

const differenceText = ({ path, expected, received }: Failure['differences'][number]): string =>
  `${path}\n  expected  ${expected}\n  received  ${received}`

/** A request and its answer, as sent. */
const exchangeText = (exchange: Exchange, tokens: Result['tokens']): string => {
  const { seat, request, answer, duration } = exchange
  const bearer = tokens.find((it) => it.name === bearerOf(exchange))
  const needed = neededOf(answer.headers)
  return [
    `${request.method} ${request.url}   (${answererOf(exchange) === 'model' ? 'model' : seat}, ${duration.toFixed(1)} ms)`,
    ...headerLines(request.headers, '> '),
    ...(bearer === undefined ? [] : [`  ${bearer.name} is for: ${grantText(bearer.claims)}`]),
    ...bodyLines(request.body, '> '),
    `${answer.status}`,
    ...headerLines(answer.headers, '< '),
    ...(needed === undefined ? [] : [`  this challenge decoded: ${needed}`]),
    ...bodyLines(answer.body, '< '),
  ].join('\n')
}

const shownHeaders = new Set([
  'authorization',
  'content-type',
  'www-authenticate',
  'insufficient-authorization-details',
  'retry-after',
  'allow',
  'location',
])

const headerLines = (headers: Exchange['request']['headers'], mark: string) =>
  Object.entries(headers)
    .filter(([name]) => shownHeaders.has(name))
    .map(([name, value]) => `${mark}${name}: ${short(value)}`)

const bodyLines = (body: string, mark: string) =>
  body === ''
    ? []
    : short(body)
        .split(/\r\n|[\n\r]/)
        .map((line) => `${mark}${line}`)

const short = (text: string, limit = 1000) =>
  text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters)` : text
