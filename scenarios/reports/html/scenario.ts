import { type Markup, markup, textBetweenTags } from '../../../server/wire/markup.ts'
import { placeOf } from '../../language/source.ts'
import { type Failure, nameOf, type Result } from '../../runner/verdict.ts'
import { diagram } from '../diagram.ts'
import { describeRequest, grantText } from '../exchange-summary.ts'
import { type Lineage, lineageOf } from '../lineage.ts'
import { exchangeOf, memberALine, type Writing } from './exchange.ts'

/** One scenario: a line, and behind it everything that happened. */
export const scenarioOf = (result: Result, key: string, isOpen: boolean): Markup => {
  const { verdict, theme, file, line, covers, tags, duration, reason, prefix, round } = result
  const link = (index: number) => `${key}x${index}`
  const picture = diagram(result, link)
  const addresses = verdict === 'failed' ? [] : addressesOf(result)
  const writing = {
    isBrief: verdict !== 'failed',
    shorten: (text: string) =>
      addresses.reduce((rest, [name, address]) => rest.replaceAll(address, name), text),
  }
  const lineage = lineageOf(result)
  return markup`<details class="scenario ${verdict}" id="${key}" data-text="${[nameOf(result), theme, file, verdict, ...covers, ...tags].join(' ').toLowerCase()}"${isOpen && markup` open`}>
<summary><span class="mark">${marks[verdict]}</span><span>${result.title}${prefix === 'org' && markup`<span class="tag">/orgs</span>`}${round > 1 && markup`<span class="tag">round ${round}</span>`}${reason !== undefined && markup` <span class="why">skipped: ${reason}</span>`}</span><span class="time">${time(duration)}</span></summary>
<div class="inside">
<p class="mono muted">${file}:${line}</p>
${covers.length > 0 && markup`<ul class="chips" aria-label="Rules">${covers.map((it) => markup`<li><a href="#rule-${it}">${it}</a></li>`)}</ul>`}
${result.failures.map(failureOf)}
${picture !== undefined && markup`<h4>What happened</h4><div class="scroll">${picture}</div>`}
${lineage.length > 0 && markup`<h4>Tokens</h4>${treeOf(lineage, result, link, writing)}`}
${result.exchanges.length > 0 && markup`<h4>Exchanges</h4>${addresses.length > 0 && markup`<p class="mono muted">${addresses.map(([name, address]) => `${name} ${address}`).join(', ')}</p>`}${exchangesOf(result, link, writing)}`}
</div></details>
`
}

const marks = { passed: '✓', failed: '✗', skipped: '–' }

/** A failure: its message, place, lines and differences. */
export const failureOf = ({ message, at, excerpt, differences, seat }: Failure): Markup =>
  markup`<div class="failure" role="group" aria-label="Failure"><p>${message}</p><div>
<p class="mono muted">${placeOf(at)}${seat !== undefined && ` · answered by the ${seats[seat]}`}</p>
<pre>${excerpt.split('\n').map((line) => markup`${line.startsWith('>') ? markup`<mark>${line}</mark>` : line}\n`)}</pre>
${
  differences.length > 0 &&
  markup`<table><thead><tr><th>Where</th><th>Expected</th><th>Received</th></tr></thead><tbody>${differences.map(
    ({ path, expected, received }) =>
      markup`<tr><td class="mono">${path}</td><td class="mono wide want">${expected}</td><td class="mono wide got">${received}</td></tr>`,
  )}</tbody></table>`
}</div></div>
`

const seats = { issuer: 'issuer', api: 'API', control: 'control plane' }

/** The addresses that most lines repeat, the longest first, by their short names. */
const addressesOf = ({ exchanges }: Result): readonly (readonly [string, string])[] => {
  const urls = exchanges.map(({ request }) => request.url)
  const first = (pattern: RegExp, of: readonly string[] = urls) =>
    of.map((url) => pattern.exec(url)?.[0]).find((it) => it !== undefined)
  const issuer = first(/^https?:\/\/[^/]+\/(?:t|orgs)\/[^/]+\/api\/v1(?=\/)/)
  const origin = first(/^https?:\/\/[^/]+/, issuer === undefined ? [] : [issuer])
  const api = first(
    /^https?:\/\/[^/]+/,
    exchanges.filter(({ seat }) => seat === 'api').map(({ request }) => request.url),
  )
  const named = [
    ['‹issuer›', issuer],
    ['‹origin›', origin],
    ['‹api›', api === origin ? undefined : api],
  ] as const
  return named.flatMap(([name, address]) =>
    address === undefined ? [] : [[name, address] as const],
  )
}

const treeOf = (
  lineage: readonly Lineage[],
  result: Result,
  link: Link,
  writing: Writing,
): Markup =>
  markup`<ul class="tree">${lineage.map((it) => markup`<li>${tokenOf(it, result, link, writing)}${it.children.length > 0 && treeOf(it.children, result, link, writing)}</li>`)}</ul>`

type Link = (index: number) => string

/** A token, decoded, with its history. */
export const tokenOf = (
  { token, from, uses, end }: Lineage,
  { exchanges }: Result,
  link: Link,
  { shorten }: Writing,
): Markup => {
  const { claims } = token
  const refused = uses.find((index) => exchanges[index]?.answer.status === 401)
  const steps = (index: number) =>
    markup`<a href="#${link(index)}">step ${exchanges[index]?.step}</a>`
  return markup`<details class="token"><summary><span class="name">${token.name}</span> ${grantText(claims)}</summary><pre>${textBetweenTags(shorten(`${JSON.stringify(token.header)}\n${memberALine(claims)}`))}</pre></details>
<div class="life">${from !== undefined && markup`<span>given in ${steps(from)}</span>`}${
    uses.length > 0 &&
    markup`<span>shown ${uses.length === 1 ? 'once' : `${uses.length} times`}: ${usesOf(uses, exchanges, link)}</span>`
  }${end !== undefined && markup`<span>${end.how} in ${steps(end.exchange)}</span>`}${refused !== undefined && markup`<span class="no">refused in ${steps(refused)}</span>`}</div>`
}

/** The first few, by what was asked. */
const usesOf = (uses: readonly number[], exchanges: Result['exchanges'], link: Link) => {
  const shown = uses.slice(0, 4).flatMap((index) => {
    const exchange = exchanges[index]
    return exchange === undefined
      ? []
      : [
          markup`<a href="#${link(index)}">${describeRequest(exchange).replace(/\?.*/, '')}</a> ${exchange.answer.status}`,
        ]
  })
  return [
    ...shown.flatMap((it, index) => (index === 0 ? [it] : [', ', it])),
    uses.length > 4 && ', …',
  ]
}

const exchangesOf = ({ exchanges, steps, failures }: Result, link: Link, writing: Writing) => {
  const words = new Map(steps.map((it) => [it.step, it]))
  const culprits = failures.map((it) => it.exchange)
  return exchanges.map((exchange, index) => {
    const step = words.get(exchange.step)
    const isFirst = exchanges[index - 1]?.step !== exchange.step
    return markup`${
      isFirst &&
      markup`<p class="step-head">${exchange.step} <b>${step?.word}</b> ${step !== undefined && `line ${step.line}`}${step?.note !== undefined && ` · ${step.note}`}</p>`
    }${exchangeOf(exchange, link(index), culprits.includes(index), writing)}`
  })
}

/** A duration in words. */
export const time = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`
