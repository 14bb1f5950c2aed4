import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { z } from 'zod'
import { didYouMean } from '../../server/wire/closest.ts'
import { isSource } from '../../server/wire/contract.ts'
import type { Loaded, Problem } from '../language/load.ts'
import { isObject, show } from '../language/match.ts'
import { RuleId } from '../language/rule-id.ts'
import { checkSchema, type Report } from '../language/schema-mistakes.ts'
import { readSource, type Source } from '../language/source.ts'
import type { Verdict } from './verdict.ts'

/** One rule that scenarios can check. */
export const Rule = z.strictObject({
  says: z.string().min(10).max(240).describe('The rule, in our wording.'),
  source: z
    .string()
    .refine(isSource, {
      error:
        'expected CONTRACT.md#PARAGRAPH or a clause such as RFC 8693 §2.1; separate several by "; "',
    })
    .describe(
      'Paragraphs of server/wire/CONTRACT.md (CONTRACT.md#tasks) and clauses of standards (RFC 8693 §2.1), separated by semicolons.',
    ),
  seat: z
    .enum(['issuer', 'api', 'agent', 'control', 'any'])
    .describe('The part that must keep it; any: every part involved.'),
  level: z
    .enum(['MUST', 'SHOULD', 'MAY', 'HOUSE'])
    .describe('As in the source; HOUSE: our own rule, where the sources say nothing.'),
  excluded: z.string().min(10).optional().describe('Why no scenario shows it.'),
})
export type Rule = Readonly<z.infer<typeof Rule> & { id: string }>

/** The rules by id, in the order of the file. */
export type Catalogue = Readonly<{ rules: ReadonlyMap<string, Rule>; source: Source }>

/** Reads the catalogue. Returns all problems in it. */
export const loadRules = async (file: string, root = process.cwd()) =>
  readRules(relative(root, file) || file, await readFile(file, 'utf8'))

/** Reads the text of a catalogue. `file` is the name that problems report. */
export const readRules = (
  file: string,
  text: string,
): Readonly<{ catalogue: Catalogue; problems: readonly Problem[] }> => {
  const source = readSource(file, text)
  const problems: Problem[] = source.problems.map((it) => ({ ...it, severity: 'error' }))
  const report: Report = (message, path, { part = 'value', severity = 'error' } = {}) => {
    problems.push({ at: source.locate(path, part), message, severity })
  }
  const rules = new Map<string, Rule>()
  if (problems.length === 0 && !isObject(source.value)) {
    report(`expected rules by id, received ${show(source.value)}`, [])
  }
  for (const [id, value] of Object.entries(isObject(source.value) ? source.value : {})) {
    const named = RuleId.safeParse(id)
    if (!named.success)
      report(`${named.error.issues[0]?.message}, not "${id}"`, [id], { part: 'key' })
    if (!checkSchema(Rule, value, [id], report)) continue
    rules.set(id, { id, ...(value as z.infer<typeof Rule>) })
  }
  return { catalogue: { rules, source }, problems }
}

/**
 * The disagreements of catalogue and suite: a scenario that covers no rule, an unknown one or an
 * excluded one; a rule that no scenario covers.
 */
export const checkCoverage = (
  { rules, source }: Catalogue,
  scenarios: readonly Loaded[],
): Problem[] => {
  const covered = new Set(scenarios.flatMap((it) => it.covers))
  return [
    ...scenarios.flatMap((scenario) => checkCovers(scenario, rules)),
    ...[...rules.values()]
      .filter((rule) => rule.excluded === undefined && !covered.has(rule.id))
      .map(({ id }) => ({
        at: source.locate([id], 'key'),
        message: `no scenario covers ${id}`,
        severity: 'error' as const,
      })),
  ]
}

const checkCovers = ({ covers, source }: Loaded, rules: Catalogue['rules']): Problem[] => {
  if (covers.length === 0) {
    const at = source.locate(['scenario'], 'key')
    return [{ at, message: 'this scenario covers no rule', severity: 'error' }]
  }
  return covers.flatMap((id, index) => {
    const rule = rules.get(id)
    if (rule !== undefined && rule.excluded === undefined) return []
    const at = source.locate(['covers', index])
    const message =
      rule === undefined
        ? `there is no rule ${id}${didYouMean(id, rules.keys())}`
        : `${id} is excluded: ${rule.excluded}`
    return [{ at, message, severity: 'error' as const }]
  })
}

/** The state of a rule. */
export type RuleState = Verdict | 'not run' | 'uncovered' | 'excluded'

/** The worst verdict of its scenarios. */
export const stateOf = (
  { excluded }: Rule,
  verdicts: readonly (Verdict | 'not run')[],
): RuleState => {
  if (excluded !== undefined) return 'excluded'
  const order = ['failed', 'not run', 'skipped', 'passed'] as const
  return order.find((it) => verdicts.includes(it)) ?? 'uncovered'
}

/** JSON Schema of the catalogue, for editors. */
export const rulesSchema = (): Record<string, unknown> => {
  const { $schema, ...rule } = z.toJSONSchema(Rule, { target: 'draft-7' })
  return {
    $schema,
    title: 'The rules that the scenarios of lumoauth-harness show',
    type: 'object',
    propertyNames: { pattern: z.toJSONSchema(RuleId).pattern },
    additionalProperties: rule,
  }
}
