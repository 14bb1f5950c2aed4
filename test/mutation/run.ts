/**
 * Mutation testing: `npm run test:mutation [-- FOLDER or FILE … --incremental]`. Each folder is
 * changed in thousands of small ways, one at a time, and its tests should notice every one.
 *
 * Stryker lives in a folder of its own, never in our dependencies, and works on a copy.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../support/running.ts'
import { tests } from './tests.ts'

const version = '@stryker-mutator/core@10.1.1'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Keeps the results of an earlier run that no change of code or tests can have altered. */
    incremental: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
  },
})

const installStryker = (): string => {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'lumoauth-harness', 'mutation')
  if (!existsSync(join(folder, 'node_modules', '@stryker-mutator', 'core'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"name":"mutation-tools","private":true}')
    execFileSync('npm', ['install', '--silent', version], { cwd: folder, stdio: 'inherit' })
  }
  return folder
}

/** Every file of the working tree that git would keep, and our installed packages. */
const copyInto = (folder: string): string => {
  const copy = mkdtempSync(join(folder, 'copy-'))
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root })
  for (const file of listed.toString().split('\0')) {
    if (file === '' || !existsSync(join(root, file))) continue
    mkdirSync(join(copy, dirname(file)), { recursive: true })
    cpSync(join(root, file), join(copy, file))
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored' | 'RuntimeError'
type Report = Readonly<{
  files: Record<string, Readonly<{ mutants: readonly Readonly<{ status: Status }>[] }>>
}>

/** One measured run; its results, with each survivor, are in `reports/mutation`. */
const measured = (tools: string, folder: string, mutate: readonly string[]): Report => {
  const copy = copyInto(tools)
  const reports = join(root, 'reports', 'mutation', folder.replace('/', '-'))
  mkdirSync(reports, { recursive: true })
  const stryker = join(tools, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')
  const options = {
    inPlace: true,
    mutate,
    testRunner: 'in-process',
    plugins: ['runner.ts', 'prose.ts'].map((file) => join(copy, 'test', 'mutation', file)),
    ignorers: ['prose'],
    coverageAnalysis: 'perTest',
    // Schemas and routes are data: nearly all their code runs while their modules load.
    ignoreStatic: folder === 'server/wire',
    concurrency: Number(values.concurrency),
    // A timeout on a slow machine is not a detected mutant: 1.5 times what the tests take comes on top.
    timeoutMS: 20_000,
    incremental: values.incremental,
    incrementalFile: join(tools, `${folder.replace('/', '-')}.json`),
    reporters: ['json', 'html', 'clear-text', 'progress-append-only'],
    clearTextReporter: { logTests: false, reportTests: false, allowColor: false },
    jsonReporter: { fileName: join(reports, 'report.json') },
    htmlReporter: { fileName: join(reports, 'report.html') },
  }
  try {
    writeFileSync(join(copy, 'stryker.json'), JSON.stringify(options))
    const { status } = spawnSync(process.execPath, [stryker, 'run', 'stryker.json'], {
      cwd: copy,
      stdio: 'inherit',
      env: { ...process.env, MUTATED_FOLDER: folder },
    })
    if (status !== 0) throw new Error(`${folder}: Stryker ended with exit code ${status}`)
    return JSON.parse(readFileSync(join(reports, 'report.json'), 'utf8')) as Report
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const row = (name: string, mutants: readonly Readonly<{ status: Status }>[]): string => {
  const count = (...all: Status[]) => mutants.filter(({ status }) => all.includes(status)).length
  const found = count('Killed', 'Timeout')
  const missed = count('Survived', 'NoCoverage')
  const score = ((100 * found) / (found + missed)).toFixed(1)
  return `| ${name} | ${score} % | ${found} | ${missed} | ${count('Ignored')} | ${count('RuntimeError')} |`
}

const tools = installStryker()

const rows: string[] = []
for (const folder of Object.keys(tests)) {
  const asked = positionals.filter((path) => path === folder || path.startsWith(`${folder}/`))
  if (positionals.length > 0 && asked.length === 0) continue
  const mutate = asked.length === 0 || asked.includes(folder) ? [`${folder}/**/*.ts`] : asked
  const report = measured(tools, folder, [...mutate, '!client/examples/**'])
  const mutants = Object.values(report.files).flatMap((it) => it.mutants)
  rows.push(row(mutate.length === 1 ? String(mutate[0]) : folder, mutants))
}
if (rows.length === 0) {
  throw new Error(`expected some of ${Object.keys(tests).join(', ')}, or files in them`)
}
process.stdout.write(
  [
    '',
    '| What | Score | Found | Missed | Left out | Broken |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
)
