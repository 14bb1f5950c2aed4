import { stringify } from 'yaml'
import { z } from 'zod'
import { parseYaml } from '../../server/wire/yaml-source.ts'
import { RuleId } from '../language/rule-id.ts'
import type { Deviation, RuleVerdict } from './deviations.ts'

/** Known deviations: the id of the broken rule, and the reason why the deviation is accepted. */
export const Baseline = z.record(
  RuleId,
  z.string().min(1, { error: 'expected the reason why the deviation is accepted' }),
)
export type Baseline = z.infer<typeof Baseline>

/** @throws {FlawedFile} */
export const readBaseline = (file: string, text: string): Baseline =>
  text.replaceAll(/^[ \t]*#.*$/gm, '').trim() === '' ? {} : parseYaml(file, text, Baseline)

export type Compared = Readonly<{
  /** Rules that are broken and not in the baseline. */
  fresh: readonly string[]
  known: readonly string[]
  /** Rules in the baseline that the run showed to be kept. */
  stale: readonly string[]
}>

/** A rule that no scenario could check is neither fresh nor stale. */
export const compareBaseline = (
  baseline: Baseline,
  deviations: readonly Deviation[],
  rules: readonly RuleVerdict[],
): Compared => {
  const broken = new Set(deviations.map((it) => it.rule))
  return {
    fresh: [...broken].filter((rule) => !Object.hasOwn(baseline, rule)),
    known: [...broken].filter((rule) => Object.hasOwn(baseline, rule)),
    stale: Object.keys(baseline).filter(
      (rule) => rules.find((it) => it.rule === rule)?.verdict === 'passed',
    ),
  }
}

/** The baseline with which this run passes. Entries that were there keep their reasons. */
export const renewBaseline = (baseline: Baseline, deviations: readonly Deviation[]): string => {
  const entries = Object.fromEntries(
    [...new Set(deviations.map((it) => it.rule))].sort().map((rule) => {
      const first = deviations.find((it) => it.rule === rule)
      return [rule, baseline[rule] ?? `seen in: ${first?.result.title}`]
    }),
  )
  return `# Known deviations, by rule. An entry whose rule is kept again fails the check.\n${
    Object.keys(entries).length === 0 ? '{}\n' : stringify(entries)
  }`
}
