import { type Contract, linksOf, type SourceLink } from '../../server/wire/contract.ts'
import type { JournalEntry } from '../../server/wire/index.ts'
import { type Markup, markup, proseOf } from '../../server/wire/markup.ts'
import { isObject } from '../language/match.ts'
import { arrowShapes, diagram } from '../reports/diagram.ts'
import { detailText } from '../reports/exchange-summary.ts'
import { exchangeOf } from '../reports/html/exchange.ts'
import { failureOf, time, tokenOf } from '../reports/html/scenario.ts'
import { type Lineage, lineageOf } from '../reports/lineage.ts'
import type { Rule } from '../runner/rules.ts'
import type { Progress } from '../runner/run.ts'
import type { Result, StepResult, Verdict } from '../runner/verdict.ts'

/** What is known of a run of a scenario under one prefix. */
export type Seen = Progress & Readonly<{ verdict?: Verdict | undefined }>

/** What explains a run: the rules, and the paragraphs that they name as their source. */
type Known = Readonly<{ rules: ReadonlyMap<string, Rule>; contract: Contract }>

/** As many steps are shown; a longer list would be unreadable. */
const most = 300

/**
 * A run of a scenario as an HTML document, of which the page takes the parts: the components are
 * those of the HTML report.
 * @param id of the scenario, for links to its steps
 */
export const viewOf = (seen: Seen, id: string, known: Known, next?: string): string => {
  const steps = seen.steps.slice(0, most)
  const link = (index: number) => `/s/${id}/${seen.exchanges[index]?.step ?? ''}`
  const picture = diagram(seen, link)
  return markup`<!doctype html>
<html lang="en"><body>
<div data-part="diagram">${arrowShapes([seen])}${picture ?? ''}</div>
<div data-part="failures">${seen.failures.map(failureOf)}${seen.reason !== undefined && markup`<p class="why">Skipped: ${seen.reason}</p>`}</div>
<ol data-part="steps">${steps.map((it) => stepLine(it, seen, id))}${
    next !== undefined &&
    markup`<li class="going"><span class="mark">…</span><span class="word">${next}</span></li>`
  }${
    seen.steps.length > most && markup`<li class="muted">and ${seen.steps.length - most} more</li>`
  }</ol>
<div data-part="panels">${steps.map((it, index) => panelOf(it, index, seen, link, known))}</div>
</body></html>
`.text
}

const stepLine = ({ step, word, note, passed, duration }: StepResult, seen: Seen, id: string) => {
  const asked = seen.exchanges.filter((it) => it.step === step)
  const statuses = asked.map(({ answer }) => answer.status).join(', ')
  const depth = step.split('.').length
  return markup`<li class="${passed ? 'is-passed' : 'is-failed'} depth-${Math.min(depth, 3)}"><a href="#/s/${id}/${step}" data-step="${step}"><span class="mark">${passed ? '✓' : '✗'}</span><span class="number">${step}</span><span class="word">${word}</span>${statuses !== '' && markup`<span class="statuses">${statuses}</span>`}<span class="note">${note ?? ''}</span><span class="time">${time(duration)}</span></a></li>`
}

/** Everything about one step: what was asked and answered, tokens, state, journal, rules. */
const panelOf = (
  step: StepResult,
  index: number,
  seen: Seen,
  link: (index: number) => string,
  known: Known,
): Markup => {
  const own = seen.exchanges
    .map((exchange, at) => ({ exchange, at }))
    .filter(({ exchange }) => exchange.step === step.step)
  const culprits = seen.failures.map((it) => it.exchange)
  const tokens = flat(lineageOf(seen as Result)).filter(
    ({ from, uses }) =>
      own.some(({ at }) => at === from) || uses.some((use) => own.some(({ at }) => at === use)),
  )
  const writing = { isBrief: true, shorten: (text: string) => text }
  const before = seen.steps.slice(0, index + 1).flatMap((it) => it.journal ?? [])
  return markup`<section class="panel-step" data-step="${step.step}" data-line="${step.line}" hidden>
<h3>Step ${step.step}: <code>${step.word}</code> <span class="muted">line ${step.line}</span></h3>
${step.note !== undefined && markup`<p>${step.note}</p>`}
${
  own.length === 0
    ? markup`<p class="muted">This step sends no request.</p>`
    : markup`<h4>Requests and answers</h4>${own.map(({ exchange, at }) => exchangeOf(exchange, `x${at}`, culprits.includes(at), writing))}`
}
${tokens.length > 0 && markup`<h4>Tokens</h4>${tokens.map((it) => tokenOf(it, seen as Result, link, writing))}`}
${journalOf(step.journal)}
${stateOf(before)}
${rulesOf(seen.covers, known)}
</section>
`
}

const flat = (lineage: readonly Lineage[]): readonly Lineage[] =>
  lineage.flatMap((it) => [it, ...flat(it.children)])

const rulesOf = (covers: readonly string[], { rules, contract }: Known) =>
  covers.length > 0 &&
  markup`<h4>${covers.length === 1 ? 'The rule' : 'The rules'} it shows</h4><dl class="rule-list">${covers.map(
    (id) => {
      const rule = rules.get(id)
      return markup`<dt>${id}</dt><dd>${rule?.says ?? 'not in the catalogue of rules'}${
        rule !== undefined &&
        markup` <span class="muted">${rule.level}</span>${linksOf(rule.source).map((it) => sourceOf(it, contract))}`
      }</dd>`
    },
  )}</dl>`

/** A part of a source: the paragraph of the contract, or a link to the clause. */
const sourceOf = ({ text, anchor, url }: SourceLink, contract: Contract) => {
  const paragraph = contract.get(anchor ?? '')
  if (paragraph !== undefined) {
    return markup`<details><summary>Contract: ${paragraph.title}</summary>${proseOf(paragraph.text)}</details>`
  }
  return url === undefined ? markup` ${text}` : markup` <a href="${url}">${text}</a>`
}

const journalOf = (journal: readonly JournalEntry[] | undefined) =>
  journal !== undefined &&
  (journal.length === 0
    ? markup`<p class="muted">No journal entry.</p>`
    : markup`<h4>Journal</h4><ul class="journal">${journal.map(
        ({ seq, at: _, type, ...members }) =>
          markup`<li><details><summary><b>${type}</b> <span class="muted">${saidBy(members)}</span></summary><pre>${JSON.stringify({ seq, ...members }, null, 1)}</pre></details></li>`,
      )}</ul>`)

/** What identifies an entry: ids, and who caused it. */
const saidBy = (members: Readonly<Record<string, unknown>>): string =>
  ['taskId', 'requestId', 'jti', 'by', 'reason']
    .flatMap((key) => (typeof members[key] === 'string' ? [members[key]] : []))
    .join(' · ')

/** The tasks and requests of the tenant after a step, from its journal. */
const stateOf = (journal: readonly JournalEntry[]) => {
  const states = new Map<string, { kind: string; says: string; state: string }>()
  const set = (id: unknown, state: string) => {
    const known = states.get(String(id))
    if (known !== undefined) known.state = state
  }
  for (const entry of journal) {
    const { type } = entry
    const [kind, change = ''] = type.split('.')
    if (type === 'task.opened' && isObject(entry.task)) {
      const { id, name } = entry.task
      states.set(String(id), { kind: 'task', says: String(name ?? ''), state: 'active' })
    } else if (type === 'permission.requested' && isObject(entry.request)) {
      const { id, detail } = entry.request
      states.set(String(id), { kind: 'request', says: detailText(detail), state: 'pending' })
    } else if (kind === 'task') set(entry.taskId, change)
    else if (kind === 'permission') set(entry.requestId, change)
    else if (type === 'token.issued') set(entry.requestId, 'exchanged for a token')
  }
  return (
    states.size > 0 &&
    markup`<h4>State after this step</h4><table class="states"><tbody>${[...states].map(
      ([id, { kind, says, state }]) =>
        markup`<tr><th scope="row">${kind}</th><td class="mono">${id}</td><td>${says}</td><td><b>${state}</b></td></tr>`,
    )}</tbody></table>`
  )
}
