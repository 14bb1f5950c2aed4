import type { Exchange } from '../runner/exchange.ts'
import { placeOf } from '../runner/source.ts'
import type { Failure, Result } from '../runner/verdict.ts'

/** A failure as paragraphs of plain text: what, where, the difference, the exchange. */
export const failureText = (failure: Failure, { exchanges }: Result): string => {
  const exchange = failure.exchange === undefined ? undefined : exchanges[failure.exchange]
  return [
    `${placeOf(failure.at)}: ${failure.message}`,
    failure.excerpt,
    failure.differences.map(differenceText).join('\n'),
    exchange === undefined ? '' : exchangeText(exchange),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const differenceText = ({ path, expected, received }: Failure['differences'][number]): string =>
  `${path}\n  expected  ${expected}\n  received  ${received}`

/** A request and its answer, as they went over the wire. */
const exchangeText = ({ seat, request, answer, duration }: Exchange): string =>
  [
    `${request.method} ${request.url}   (${seat}, ${duration.toFixed(1)} ms)`,
    ...headerLines(request.headers, '> '),
    ...bodyLines(request.body, '> '),
    `${answer.status}`,
    ...headerLines(answer.headers, '< '),
    ...bodyLines(answer.body, '< '),
  ].join('\n')

const shown = new Set([
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
    .filter(([name]) => shown.has(name))
    .map(([name, value]) => `${mark}${name}: ${short(value)}`)

const bodyLines = (body: string, mark: string) => (body === '' ? [] : [`${mark}${short(body)}`])

const short = (text: string, limit = 1000) =>
  text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters)` : text
