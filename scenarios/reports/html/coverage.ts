import { type Contract, linksOf } from '../../../server/wire/contract.ts'
import { type Markup, markup, proseOf } from '../../../server/wire/markup.ts'
import { type Rule, type RuleState, stateOf } from '../../runner/rules.ts'
import type { Result, Verdict } from '../../runner/verdict.ts'

/** Which rules the run showed: a cell for each, then each with its sentence. */
export const rulesOf = (
  rules: readonly Rule[],
  results: readonly Result[],
  keys: Keys,
  contract: Contract,
): Markup => {
  const showing = Map.groupBy(
    results.flatMap((result) => result.covers.map((id) => ({ id, result }))),
    (it) => it.id,
  )
  const stated = rules.map((rule) => {
    const own = (showing.get(rule.id) ?? []).map((it) => it.result)
    return { rule, own, state: stateOf(rule, own.map(verdictOf)) }
  })
  const families = Map.groupBy(stated, ({ rule }) => rule.id.replace(/-.*/, ''))
  const { excluded = [], uncovered = [] } = Object.groupBy(stated, (it) => it.state)
  const shown = stated.length - excluded.length - uncovered.length
  return markup`<h2 id="rules">Rules</h2>
<p class="muted">${shown} of ${stated.length - excluded.length} rules shown by this run${excluded.length > 0 && `; ${excluded.length} more are excluded, with the reason`}.</p>
<div class="panel">
${[...families].map(
  ([family, list]) =>
    markup`<div class="family"><div><b>${family}</b> <span>${familyWords[family] ?? ''}</span></div><div class="cells">${list.map(
      ({ rule, state }) =>
        markup`<a class="${classOf(state)}" href="#rule-${rule.id}" aria-label="${rule.id}, ${words[state]}"></a>`,
    )}</div></div>`,
)}
<div class="legend">${(['passed', 'failed', 'uncovered', 'excluded'] as const).map(
    (state) => markup`<span><i class="${classOf(state)}"></i>${words[state]}</span>`,
  )}</div>
</div>
${brokenOf(stated, contract)}
<details><summary>All ${stated.length} rules, in words</summary><div class="rules">${stated.map(
    ({
      rule,
      own,
      state,
    }) => markup`<div class="rule ${classOf(state)}" id="rule-${rule.id}"><span class="mark">${marks[state]}</span><div><b>${rule.id}</b> <span class="says">${rule.says}</span><div class="more">${rule.level}, ${sourceOf(rule, contract)}${
      rule.excluded !== undefined && `. Excluded: ${rule.excluded}`
    }${own.length > 0 && markup`<ul class="chips">${own.map((it) => markup`<li><a href="#${keys.get(it) ?? ''}">${it.title}</a></li>`)}</ul>`}</div></div></div>
`,
  )}</div></details>
${contractOf(rules, contract)}`
}

/** The source of a rule: links to its paragraphs in this report, and to clauses of standards. */
const sourceOf = ({ source }: Rule, contract: Contract) =>
  linksOf(source).map(({ text, anchor, url }, at) => {
    const paragraph = contract.get(anchor ?? '')
    const href = paragraph === undefined ? url : `#contract-${paragraph.anchor}`
    const words = paragraph === undefined ? text : `Contract: ${paragraph.title}`
    return markup`${at > 0 && '; '}${href === undefined ? words : markup`<a href="${href}">${words}</a>`}`
  })

/** The paragraphs of the contract that rules name. */
const contractOf = (rules: readonly Rule[], contract: Contract): Markup | false => {
  const named = new Set(rules.flatMap(({ source }) => linksOf(source).map((it) => it.anchor)))
  const shown = [...contract.values()].filter((it) => named.has(it.anchor))
  return (
    shown.length > 0 &&
    markup`<details><summary>The contract: the ${shown.length} paragraphs that rules name</summary><div class="contract">${shown.map(
      ({ anchor, title, section, text }) =>
        markup`<h4 id="contract-${anchor}">${title} <span class="muted">${section}</span></h4>${proseOf(text)}
`,
    )}</div></details>`
  )
}

/** The broken rules in words, where a reader looks first. */
const brokenOf = (
  stated: readonly Readonly<{ rule: Rule; state: RuleState }>[],
  contract: Contract,
) => {
  const broken = stated.filter(({ state }) => state === 'failed')
  return (
    broken.length > 0 &&
    markup`<h3>Broken by this run</h3><ul class="broken-rules">${broken.map(
      ({ rule }) =>
        markup`<li><a href="#rule-${rule.id}">${rule.id}</a> ${rule.says} <span class="muted">${sourceOf(rule, contract)}</span></li>`,
    )}</ul>`
  )
}

/** What the rules of one prefix are about. */
const familyWords: Readonly<Record<string, string>> = {
  NET: 'HTTP (RFC 9110, RFC 9112)',
  LUMO: 'LumoAuth’s own protocol',
  AGENT: 'what an agent has to do',
  SDK: 'the published SDKs',
  POLICY: 'policies of a tenant',
  JSON: 'JSON (RFC 8259)',
  API: 'the documents API',
  CONTROL: 'the control plane',
  RAR: 'rich authorization requests (RFC 9396)',
  RES: 'RAR challenges (wg draft)',
  HDR: 'challenge header fields',
  TEX: 'token exchange (RFC 8693)',
  CC: 'client credentials (RFC 6749)',
  BRR: 'bearer tokens (RFC 6750)',
  AT: 'JWT access tokens (RFC 9068)',
  JWT: 'JWT security (RFC 8725)',
  REV: 'revocation (RFC 7009)',
  INT: 'introspection (RFC 7662)',
  ASM: 'issuer metadata (RFC 8414)',
  PRM: 'API metadata (RFC 9728)',
  RSI: 'resource indicators (RFC 8707)',
  SET: 'security events (SSF, RFC 8417)',
  PSH: 'pushed events (RFC 8935)',
  POL: 'polled events (RFC 8936)',
  STM: 'event streams (SSF 1.0)',
  DPP: 'DPoP (RFC 9449)',
  SIG: 'HTTP signatures (RFC 9421)',
  HITL: 'approval by a person',
  PRB: 'problem details (RFC 9457)',
  RTY: 'retries (RFC 9110)',
  IDK: 'idempotency keys (draft)',
  THR: 'threats',
}

export type Keys = ReadonlyMap<Result, string>

const verdictOf = ({ verdict }: Result): Verdict => verdict

const classOf = (state: RuleState) => `is-${state.replace(' ', '-')}`

const words: Readonly<Record<RuleState, string>> = {
  passed: 'shown',
  failed: 'broken',
  skipped: 'skipped',
  'not run': 'not run',
  uncovered: 'not shown by this run',
  excluded: 'excluded',
}

const marks: Readonly<Record<RuleState, string>> = {
  passed: '✓',
  failed: '✗',
  skipped: '–',
  'not run': '·',
  uncovered: '○',
  excluded: '×',
}

/** The policy rules that decided requests. */
export const policiesOf = (results: readonly Result[], keys: Keys): Markup | false => {
  const uses = results.flatMap((result) => (result.policies ?? []).map((use) => ({ use, result })))
  if (uses.length === 0) return false
  const { documented = [], own = [] } = Object.groupBy(uses, ({ use }) =>
    use.documented ? 'documented' : 'own',
  )
  const counts = new Map<string, number>()
  for (const { use } of documented) {
    for (const { name, decided } of use.rules) counts.set(name, (counts.get(name) ?? 0) + decided)
  }
  const idle = own.flatMap(({ use, result }) =>
    use.rules.filter((it) => it.decided === 0).map(({ name }) => ({ name, result })),
  )
  const unreached = [...counts.values()].filter((it) => it === 0).length
  return markup`<h2 id="policies">Policies</h2>
<p class="muted">${unreached === 0 ? 'Every rule of the documented policy decided something.' : `${unreached} of ${counts.size} rules of the documented policy decided nothing.`}</p>
<div class="panel">
<table><thead><tr><th></th><th>Rule of the documented policy</th><th>Requests it decided</th></tr></thead><tbody>${[
    ...counts,
  ].map(
    ([name, count]) =>
      markup`<tr class="${count > 0 ? 'is-passed' : 'is-uncovered'}"><td class="mark">${count > 0 ? '✓' : '○'}</td><td>${name}</td><td>${count}</td></tr>`,
  )}</tbody></table>
${
  own.length > 0 &&
  markup`<p class="muted">Scenarios brought ${own.length} policies of their own${idle.length === 0 ? ', and each of their rules decided something.' : '. These of their rules decided nothing:'}</p>${
    idle.length > 0 &&
    markup`<table><tbody>${idle.map(({ name, result }) => markup`<tr class="is-uncovered"><td class="mark">○</td><td>${name}</td><td><a href="#${keys.get(result) ?? ''}">${result.title}</a></td></tr>`)}</tbody></table>`
  }`
}</div>`
}
