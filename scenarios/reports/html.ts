import { createHash } from 'node:crypto'
import { Markup, markup } from '../../server/wire/markup.ts'
import { countsOf, nameOf, type Result, type Run } from '../runner/verdict.ts'
import { arrowShapes } from './diagram.ts'
import { type Keys, policiesOf, rulesOf } from './html/coverage.ts'
import { scenarioOf, time } from './html/scenario.ts'
import { script } from './html/script.ts'
import { style } from './html/style.ts'
import type { Report } from './report.ts'

/**
 * One HTML page without external loads. Its Content-Security-Policy allows its own style and script
 * by hash. The page is readable without both.
 */
export const html: Report = (runs, { rules = [], contract = new Map() } = {}) => {
  const results = runs.flatMap((run) => run.results)
  const keys = new Map(results.map((result, index) => [result, `s${index + 1}`]))
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${headlineOf(results)}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${arrowShapes(results)}
${topOf(runs, results, keys)}
<div class="tools"><div>
<div class="filter" hidden><input id="filter" type="search" placeholder="Filter by words, rule, tag or file" aria-label="Filter">${buttonsOf(results)}</div>
<nav aria-label="Sections"><a href="#scenarios">Scenarios</a>${rules.length > 0 && markup`<a href="#rules">Rules</a>`}<a href="#policies">Policies</a></nav>
</div></div>
<main>
<h2 id="scenarios">Scenarios</h2>
<p class="muted">Exchanges of scenarios that passed are written briefly: without header fields that every message has, and with long bodies cut.</p>
${failedOf(results, keys)}${runs.flatMap((run) => themesOf(run, runs.length > 1, keys))}
<p class="none" hidden>No scenario fits the filter.</p>
${slowestOf(results, keys)}
${rules.length > 0 && rulesOf(rules, results, keys, contract)}
${policiesOf(results, keys)}
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text
}

const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`

const headlineOf = (results: readonly Result[]): string => {
  const { total, passed, failed } = countsOf(results)
  return failed > 0
    ? `${failed} of ${total} scenarios failed`
    : passed === total
      ? `All ${total} scenarios passed`
      : `${passed} of ${total} scenarios passed, none failed`
}

const topOf = (runs: readonly Run[], results: readonly Result[], keys: Keys): Markup => {
  const failures = results.filter((it) => it.verdict === 'failed')
  const { total, passed, failed, skipped } = countsOf(results)
  const seeds = [...new Set(runs.map((run) => run.seed))].filter((it) => it !== undefined)
  const duration = runs.reduce((sum, run) => sum + run.duration, 0)
  const said = [
    `against ${runs.map((run) => run.target).join(', ')}`,
    new Date(runs[0]?.startedAt ?? 0)
      .toISOString()
      .replace('T', ' ')
      .replace(/:\d\d\..*/, ' UTC'),
    `${(duration / 1000).toFixed(1)}\u00a0s`,
    ...(seeds.length > 0 ? [`seed ${seeds.join(', ')}`] : []),
  ]
  const wide = (count: number) => (1000 * count) / Math.max(1, total)
  return markup`<header class="top"><div>
<h1>${headlineOf(results)}</h1>
<p>${said.join(' · ')}</p>
<div class="bar"><svg viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label="${passed} passed, ${failed} failed, ${skipped} skipped"><rect class="failed" width="${wide(failed)}" height="8"/><rect class="skipped" x="${wide(failed)}" width="${wide(skipped)}" height="8"/><rect class="passed" x="${wide(failed + skipped)}" width="${wide(passed)}" height="8"/></svg></div>
${failed > 0 && markup`<ul>${failures.map((it) => markup`<li><a href="#${keys.get(it) ?? ''}">${nameOf(it)}</a></li>`)}</ul>`}
</div></header>`
}

const themesOf = ({ target, results }: Run, several: boolean, keys: Keys) =>
  [...Map.groupBy(results.filter(isNotFailed), (it) => it.theme)].map(
    ([theme, list]) =>
      markup`<h3>${theme}${several && ` (${target})`}</h3><div class="theme">${list.map((it) =>
        scenarioOf(it, keys.get(it) ?? '', false),
      )}</div>
`,
  )

const isNotFailed = ({ verdict }: Result) => verdict !== 'failed'

/** What failed stands first, whatever its theme. */
const failedOf = (results: readonly Result[], keys: Keys): Markup | false => {
  const failed = results.filter((it) => !isNotFailed(it))
  return (
    failed.length > 0 &&
    markup`<h3>Failed</h3><div class="theme">${failed.map((it) => scenarioOf(it, keys.get(it) ?? '', true))}</div>
`
  )
}

const buttonsOf = (results: readonly Result[]) => {
  const { total, failed, passed, skipped } = countsOf(results)
  const states = [
    ['', 'all', total],
    ['failed', 'failed', failed],
    ['passed', 'passed', passed],
    ['skipped', 'skipped', skipped],
  ] as const
  return states.map(
    ([verdict, label, count]) =>
      markup`<button type="button" data-verdict="${verdict}" aria-pressed="${verdict === '' ? 'true' : 'false'}">${label} ${count}</button>`,
  )
}

/** Where the time went. */
const slowestOf = (results: readonly Result[], keys: Keys): Markup | false => {
  const slowest = results.toSorted((a, b) => b.duration - a.duration).slice(0, 10)
  return (
    results.length > slowest.length &&
    markup`<details><summary>The ${slowest.length} slowest</summary><table class="slowest"><tbody>${slowest.map(
      (it) =>
        markup`<tr><td>${time(it.duration)}</td><td><a href="#${keys.get(it) ?? ''}">${nameOf(it)}</a></td></tr>`,
    )}</tbody></table></details>`
  )
}
