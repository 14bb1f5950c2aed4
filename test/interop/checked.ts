import { join } from 'node:path'
import { isRuleOf, type Judged } from '../../scenarios/checks/deviations.ts'
import { createIssuerJudge } from '../../scenarios/checks/issuer-judge.ts'
import { filesOf } from '../../scenarios/cli/find-scenarios.ts'
import { type Loaded, loadScenarios } from '../../scenarios/language/load.ts'
import type { Target } from '../../scenarios/language/target.ts'
import { loadRules } from '../../scenarios/runner/rules.ts'
import { run } from '../../scenarios/runner/run.ts'
import type { Result } from '../../scenarios/runner/verdict.ts'
import { accessOf, readTarget } from '../../scenarios/targets/real/access.ts'
import { real } from '../../scenarios/targets/real/real.ts'
import { root } from '../support/running.ts'
import type { Issuer } from './issuer.ts'

const { rules } = (await loadRules(join(root, 'scenarios/rules.yaml'))).catalogue

/** The issuer as the seat under test. */
export const ofIssuer: Judged = { seat: 'issuer', rules }

/** The scenarios of a folder that show a rule of the issuer. */
const scenariosIn = async (folders: readonly string[]) =>
  (await loadScenarios(filesOf(folders))).scenarios.filter(({ covers }) =>
    covers.some((rule) => isRuleOf(rule, ofIssuer)),
  )

/** The issuer suite, and the scenarios of the suite. */
export const ours = await scenariosIn([join(root, 'scenarios/issuer-suite')])
export const suite = await scenariosIn([])

/** Checks an issuer as the command line does, without its printing. */
export const checked = async (
  { target: text, env }: Pick<Issuer, 'target' | 'env'>,
  scenarios: readonly Loaded[],
  referenceMock: Target,
  say: (line: string) => void = () => {},
) => {
  const { file } = readTarget('target.yaml', text)
  if (file === undefined) throw new Error('the target has mistakes')
  const target = await real(accessOf(file, env), { allowWrites: true, say })
  const { judge, found } = createIssuerJudge(referenceMock, ofIssuer, scenarios, {
    dialect: file.issuer?.dialect,
    names: target.names,
  })
  const { results, duration } = await run(scenarios.map(target.placed), target, {
    concurrency: 4,
    judge,
  }).finally(() => target.close())
  const seconds = (duration / 1000).toFixed(0)
  const usage = { ...target.usage(), seconds }
  return { results, leftovers: target.leftovers, found: found(), usage }
}

/** What each failed scenario says. */
export const failed = (results: readonly Result[]) =>
  results
    .filter((it) => it.verdict === 'failed')
    .map((it) => `${it.title}: ${it.failures.map(({ message }) => message).join('; ')}`)
