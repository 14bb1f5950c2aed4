import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Running } from '../support/running.ts'

type Step = Readonly<{
  uses?: string
  run?: string
  shell?: string
  if?: string
  env?: Readonly<Record<string, string>>
  with?: Readonly<Record<string, unknown>>
}>

type Action = Readonly<{
  inputs: Readonly<Record<string, { required?: boolean; default?: string }>>
  runs: { using: string; steps: readonly Step[] }
}>

/** The result of an action. */
export type Outcome = Readonly<{
  /** The exit code of each script, in order; undefined for a script that did not run. */
  codes: readonly (number | null | undefined)[]
  output: string
  summary: string
  /** The actions it uses, with their inputs: they are not run here. */
  uses: readonly Readonly<{ name: string; with: Readonly<Record<string, string>> }>[]
}>

/**
 * A composite action as GitHub's runner runs it: its scripts by `bash --noprofile --norc -eo
 * pipefail` from a file, expressions replaced before, nothing after a failure except steps with
 * `if: always()`.
 */
export const composite = async (
  file: string,
  given: Readonly<Record<string, string>>,
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string | undefined>> },
): Promise<Outcome> => {
  const { inputs, runs }: Action = parse(await readFile(file, 'utf8'))
  if (runs.using !== 'composite') throw new Error(`${file} is ${runs.using}`)
  const odd = Object.keys(given).find((name) => !(name in inputs))
  if (odd !== undefined) throw new Error(`there is no input ${odd}`)
  const filled = (text: unknown) =>
    String(text).replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
      const name = /^inputs\.([\w-]+)$/.exec(expression)?.[1]
      if (name === undefined || !(name in inputs)) throw new Error(`what is ${expression}?`)
      return given[name] ?? inputs[name]?.default ?? ''
    })
  const everyOf = (texts: Readonly<Record<string, unknown>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, filled(text)]))

  const temporary = await mkdtemp(join(cwd, 'runner-'))
  const summaryFile = join(temporary, 'summary.md')
  await writeFile(summaryFile, '')
  const codes: (number | null | undefined)[] = []
  const uses: { name: string; with: Record<string, string> }[] = []
  let output = ''
  for (const [index, step] of runs.steps.entries()) {
    if (step.if !== undefined && step.if !== 'always()') throw new Error(`what is ${step.if}?`)
    const isDue = step.if === 'always()' || !codes.some((code) => code !== 0)
    if (step.uses !== undefined) {
      if (isDue) uses.push({ name: step.uses, with: everyOf(step.with) })
      continue
    }
    if (step.shell !== 'bash') throw new Error('a script of a composite action names its shell')
    if (!isDue) {
      codes.push(undefined)
      continue
    }
    const script = join(temporary, `${index}.sh`)
    await writeFile(script, filled(step.run))
    const runner = { GITHUB_ACTIONS: 'true', CI: 'true', GITHUB_STEP_SUMMARY: summaryFile }
    await using running = new Running(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', script],
      { cwd, env: { ...env, ...runner, ...everyOf(step.env) } },
    )
    codes.push(await running.ends())
    output += running.stdout + running.stderr
  }
  return { codes, output, uses, summary: await readFile(summaryFile, 'utf8') }
}
