/**
 * How Stryker runs our tests: all loaded once in its own process, not in one worker per mutant.
 * Only a mutant in code that runs while modules load has them loaded again.
 */
import { globSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { tests as patterns } from './tests.ts'
import { around, collected, type Outcome, run, type Test } from './vitest.ts'

type Options = Readonly<{ disableBail: boolean }>
type MutantOptions = Options &
  Readonly<{
    testFilter?: readonly string[]
    hitLimit?: number
    activeMutant: Readonly<{ id: string }>
    sandboxFileName: string
    mutantActivation: 'runtime' | 'static'
    reloadEnvironment: boolean
  }>

type Tried =
  | Readonly<{ status: 'survived'; nrOfTests: number }>
  | Readonly<{ status: 'timeout'; reason: string }>
  | Readonly<{
      status: 'killed'
      killedBy: readonly string[]
      failureMessage: string
      nrOfTests: number
    }>

type Hits = Record<string, number>
type Coverage = Readonly<{ static: Hits; perTest: Record<string, Hits> }>

/** The name that the changed code reads. */
type Seam = {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: Coverage
}
const seam: Seam = {}
Object.assign(globalThis, { __stryker__: seam })

const shim = new URL('vitest.ts', import.meta.url).href
const root = pathToFileURL(`${process.cwd()}/`).href
let generation = 0

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === 'vitest' && context.parentURL !== shim) {
      return { url: shim, shortCircuit: true }
    }
    const found = next(specifier, context)
    const isOurs = found.url.startsWith(root) && found.url.endsWith('.ts') && found.url !== shim
    return isOurs && generation > 0 ? { ...found, url: `${found.url}?${generation}` } : found
  },
})

/** Whether a module has mutable state of its own, such as a cache. */
const remembersBetweenTests = (file: string): boolean =>
  /^(export )?(let |const \w+( *:[^=]+)? = new (Map|Set)\b)/m.test(readFileSync(file, 'utf8'))

class InProcess {
  #tests: readonly Test[] | undefined
  #rejected: string | undefined

  constructor() {
    process.on('unhandledRejection', (reason) => {
      this.#rejected = `unhandled: ${String(reason)}`
    })
  }

  capabilities() {
    return { reloadEnvironment: true }
  }

  async dryRun() {
    const all = await this.#loaded()
    const { outcomes } = await run(all, {
      bail: false,
      onStart: (id) => {
        seam.currentTestId = id
      },
    })
    seam.currentTestId = undefined
    return {
      status: 'complete',
      tests: outcomes.map(resultOf),
      mutantCoverage: coverageOf(all),
    }
  }

  async mutantRun(options: MutantOptions) {
    const { sandboxFileName, mutantActivation, reloadEnvironment } = options
    const remembers = remembersBetweenTests(sandboxFileName)
    if (reloadEnvironment || remembers) this.#forget()
    try {
      const tried = await this.#tried(options)
      if (tried.status !== 'killed' || mutantActivation === 'static') return tried
      if (tried.killedBy.length > 0 && (await this.#isSound(tried.killedBy))) return tried
      // An earlier mutant may have left this behind.
      this.#forget()
      return await this.#tried(options)
    } finally {
      if (remembers && mutantActivation === 'runtime') this.#forget()
    }
  }

  async #tried({
    testFilter,
    hitLimit,
    activeMutant,
    mutantActivation,
    disableBail,
  }: MutantOptions): Promise<Tried> {
    seam.hitCount = 0
    seam.hitLimit = hitLimit
    this.#rejected = undefined
    if (mutantActivation === 'static') seam.activeMutant = activeMutant.id
    try {
      const all = await this.#loaded()
      seam.activeMutant = activeMutant.id
      const order = testFilter ? all.filter(({ id }) => testFilter.includes(id)) : all
      const { outcomes, late } = await run(order, { bail: !disableBail, onStart: () => {} })
      if (late) this.#forget()
      if (hitLimit !== undefined && seam.hitCount > hitLimit) {
        return { status: 'timeout', reason: `hit ${seam.hitCount} times` }
      }
      const nrOfTests = outcomes.length
      const failed = outcomes.filter(({ failure }) => failure !== undefined)
      if (failed.length > 0) {
        const killedBy = failed.map(({ test }) => test.id)
        return { status: 'killed', killedBy, failureMessage: failed[0]?.failure ?? '', nrOfTests }
      }
      if (this.#rejected === undefined) return { status: 'survived', nrOfTests }
      this.#forget()
      return { status: 'killed', killedBy: [], failureMessage: this.#rejected, nrOfTests }
    } catch (thrown) {
      // The tests could not even be loaded.
      this.#forget()
      return { status: 'killed', killedBy: [], failureMessage: String(thrown), nrOfTests: 0 }
    } finally {
      seam.activeMutant = undefined
    }
  }

  /** Whether these tests pass without a mutant. */
  async #isSound(ids: readonly string[]): Promise<boolean> {
    if (this.#tests === undefined) return true
    const order = this.#tests.filter(({ id }) => ids.includes(id))
    const { outcomes } = await run(order, { bail: true, onStart: () => {} })
    return outcomes.every(({ failure }) => failure === undefined)
  }

  #forget() {
    this.#tests = undefined
    generation += 1
  }

  async #loaded(): Promise<readonly Test[]> {
    if (this.#tests !== undefined) return this.#tests
    const { globalRegistry } = await import('zod')
    globalRegistry.clear()
    const loaded: Test[] = []
    const include = patterns[process.env.MUTATED_FOLDER ?? ''] ?? []
    for (const file of include.flatMap((it) => globSync(it).sort())) {
      const url = pathToFileURL(file).href
      loaded.push(...(await collected(file, () => import(url))))
    }
    this.#tests = loaded
    return loaded
  }
}

/** Code covered by the hooks of a suite counts for each of its tests. */
const coverageOf = (all: readonly Test[]): Coverage => {
  const { static: always, perTest } = seam.mutantCoverage ?? { static: {}, perTest: {} }
  return {
    static: always,
    perTest: Object.fromEntries(
      all.map(({ id, suite }) => [
        id,
        Object.assign({}, ...around(suite).map((it) => perTest[it.id]), perTest[id]),
      ]),
    ),
  }
}

const resultOf = ({ test, took, failure }: Outcome) => ({
  id: test.id,
  name: test.id.slice(test.file.length + 1),
  fileName: test.file,
  timeSpentMs: took,
  ...(failure === undefined ? { status: 0 } : { status: 1, failureMessage: failure }),
})

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'in-process', injectableClass: InProcess },
]
