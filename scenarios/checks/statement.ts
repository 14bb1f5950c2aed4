import { escapeMarkdown } from '../reports/escape.ts'
import { countsOf, type Run } from '../runner/verdict.ts'
import type { Compared } from './baseline.ts'
import { deviationsOf, type Judged, rulesOf } from './deviations.ts'

/** The subject of a check. */
export type Subject = Judged &
  Readonly<{
    /** The name of the tested seat, and its URL. */
    name: string
    where: string
    harness: string
    /** Facts about the check: prefixes, dialect, number of requests. */
    facts: readonly string[]
    compared: Compared
    leftovers: readonly string[]
  }>

/** The statement as Markdown: subject, version, and the verdict on each rule. */
export const statement = (subject: Subject, runs: readonly Run[]): string => {
  const { seat, name, where, harness, facts, compared, leftovers } = subject
  const says = (rule: string) => subject.rules.get(rule)?.says ?? ''
  const results = runs.flatMap((run) => run.results)
  const rules = rulesOf(results, subject)
  const { total, passed, failed, skipped } = countsOf(results)
  const of = (verdict: string) => rules.filter((it) => it.verdict === verdict)
  const deviations = deviationsOf(results, subject)
  const startedAt = Math.min(...runs.map((run) => run.startedAt))
  return [
    `# Conformance of the ${seat} ${escapeMarkdown(name)}`,
    '',
    `Tested ${new Date(startedAt).toISOString()} by lumoauth-harness ${harness}, at ${escapeMarkdown(where)}.`,
    `${total} scenarios: ${passed} passed, ${failed} failed, ${skipped} skipped.`,
    `${rules.length} rules: ${of('passed').length} kept, ${of('failed').length} broken, ${of('skipped').length} not tested.`,
    '',
    ...facts.map((fact) => `- ${escapeMarkdown(fact)}`),
    '',
    ...(deviations.length === 0
      ? []
      : [
          '## Deviations',
          '',
          '| Rule | What it says | What was seen |',
          '|---|---|---|',
          ...of('failed').map(({ rule }) => {
            const first = deviations.find((it) => it.rule === rule)
            const known = compared.known.includes(rule) ? ' (known)' : ''
            return `| ${rule}${known} | ${escapeMarkdown(says(rule))} | ${escapeMarkdown(first?.failure.message ?? '')} |`
          }),
          '',
        ]),
    ...(leftovers.length === 0
      ? []
      : ['## Left over', '', ...leftovers.map((it) => `- ${escapeMarkdown(it)}`), '']),
    '## Rules',
    '',
    '| Rule | Verdict | |',
    '|---|---|---|',
    ...rules.map(
      ({ rule, verdict, reasons }) =>
        `| ${rule} | ${words[verdict]} | ${verdict === 'skipped' ? escapeMarkdown(reasons.join('; ')) : escapeMarkdown(says(rule))} |`,
    ),
    '',
  ].join('\n')
}

/** The statement as JSON. */
export const statementJson = (subject: Subject, runs: readonly Run[]): string => {
  const results = runs.flatMap((run) => run.results)
  const { seat, name, where, harness, facts, compared, leftovers } = subject
  return `${JSON.stringify(
    {
      seat,
      target: name,
      where,
      harness,
      startedAt: new Date(Math.min(...runs.map((run) => run.startedAt))).toISOString(),
      counts: countsOf(results),
      facts,
      rules: rulesOf(results, subject),
      deviations: deviationsOf(results, subject).map(({ rule, result, failure }) => ({
        rule,
        scenario: result.title,
        file: result.file,
        line: failure.at.line,
        message: failure.message,
      })),
      ...compared,
      leftovers,
    },
    null,
    2,
  )}\n`
}

const words = { passed: 'kept', failed: '**broken**', skipped: 'not tested' }
