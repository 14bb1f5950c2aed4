import { relative } from 'node:path'
import { contractFile, loadContract } from '../../server/contract-file.ts'
import { UsageError } from '../../server/usage-error.ts'
import { didYouMean } from '../../server/wire/closest.ts'
import { type Contract, linksOf, type SourceLink } from '../../server/wire/contract.ts'
import { painter } from '../reports/paint.ts'
import { listMisbehaviours } from '../targets/mock/mock.ts'
import { loadSuite } from './find-scenarios.ts'
import { lastVerdicts } from './last-verdicts.ts'
import { marks, showingsOf } from './rules.ts'

const seats = {
  issuer: 'the issuer',
  api: 'the resource server',
  agent: 'the agent',
  control: 'the control plane',
  any: 'every part involved',
}

const levels = {
  MUST: 'the source demands it',
  SHOULD: 'the source recommends it',
  MAY: 'the source allows it',
  HOUSE: 'a rule of ours; breaking it is a finding, not a non-conformance',
}

/** `lumoauth-harness explain`. @returns the exit code */
export const explain = async (names: readonly string[]): Promise<number> => {
  const [{ scenarios, catalogue }, verdicts, misbehaviours, contract] = await Promise.all([
    loadSuite(),
    lastVerdicts(),
    listMisbehaviours(),
    loadContract(),
  ])
  const paint = painter(process.stdout)
  for (const name of names) {
    const rule = catalogue.rules.get(name.toUpperCase())
    if (rule === undefined) {
      throw new UsageError(`there is no rule "${name}"${didYouMean(name, catalogue.rules.keys())}`)
    }
    const { says, source, seat, level, excluded } = rule
    const broken = misbehaviours.filter((it) => it.breaks === rule.id)
    const [showing] = showingsOf([rule], scenarios, verdicts)
    process.stdout.write(
      [
        `${paint('bold', rule.id)}  ${says}`,
        '',
        ...linksOf(source).map(
          (it, at) => `  ${at === 0 ? 'Source' : '      '}  ${linkText(it, contract)}`,
        ),
        `  Level   ${level}: ${levels[level]}`,
        `  Seat    ${seats[seat]}`,
        ...(excluded === undefined ? [] : [`  Excluded: ${excluded}`]),
        '',
        paint('bold', 'Shown by'),
        ...list(
          (showing?.scenarios ?? []).map(({ scenario, last }) => {
            const [mark, style] = marks[last ?? 'not run']
            return `${paint(style, mark)} ${scenario.title} ${paint('dim', `(${last ?? 'not run'})`)}\n    ${scenario.file}`
          }),
        ),
        '',
        paint('bold', 'Broken by'),
        ...list(broken.map((it) => `${it.name}: ${it.says}`)),
        '',
        '',
      ].join('\n'),
    )
  }
  return 0
}

/** A part of a source, with the place where its text stands. */
const linkText = ({ text, anchor, url }: SourceLink, contract: Contract): string => {
  const paragraph = contract.get(anchor ?? '')
  if (paragraph === undefined) return url === undefined ? text : `${text}  ${url}`
  const place = `${relative(process.cwd(), contractFile())}:${paragraph.line}`
  return `${text}  ${place}\n\n${paragraph.text.replace(/^(?=.)/gm, '          ')}\n`
}

const list = (lines: readonly string[]) =>
  lines.length === 0 ? ['  nothing'] : lines.map((it) => `  ${it}`)
