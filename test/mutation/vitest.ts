/**
 * What the tests import as `vitest` while mutants run: the same `expect` and `vi`, and tests that
 * stay loaded, so that one mutant takes as long as its tests and no longer.
 */
import { format } from 'node:util'

export { expect, vi } from 'vitest'

/** The part of a worker that its `vi` uses. */
Object.assign(globalThis, { __vitest_worker__: { config: { fakeTimers: {} } } })

type Act = (...given: never[]) => unknown
type Hooks = Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Act[]>
type Suite = Readonly<{ id: string; name: string; parent: Suite | undefined; hooks: Hooks }>
export type Test = Readonly<{ id: string; file: string; suite: Suite; act: () => unknown }>
export type Outcome = Readonly<{ test: Test; took: number; failure?: string }>

/**
 * The timeout of a test or a hook, in milliseconds; a slow machine must not look like a detected
 * mutant.
 */
const patience = 20_000

let suites = 0
const suite = (name: string, parent?: Suite): Suite => ({
  id: `suite ${++suites}`,
  name,
  parent,
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
})

let here = suite('')
let tests: Test[] = []
let inFile = ''

/** The tests of a file, in their order. */
export const collected = async (
  file: string,
  load: () => Promise<unknown>,
): Promise<readonly Test[]> => {
  here = suite('')
  tests = []
  inFile = file
  await load()
  return tests
}

/** The suites of a test, outermost first. */
export const around = (it: Suite | undefined): Suite[] =>
  it === undefined ? [] : [...around(it.parent), it]

/** Names only the members that the title has room for: `format` would append the stacks of errors, too. */
const titleOf = (name: string, members: readonly unknown[]): string =>
  format(name, ...members.slice(0, name.match(/%[a-zA-Z]/g)?.length ?? 0))

/** Vitest's `each` passes a row as arguments, its `for` as one argument. */
const many =
  (define: (name: string, act: () => unknown) => void, spread: boolean) =>
  (rows: readonly unknown[]) =>
  (name: string, act: Act) => {
    for (const row of rows) {
      const members = (Array.isArray(row) ? row : [row]) as never[]
      const given = spread ? members : [row as never]
      define(titleOf(name, members), () => act(...given))
    }
  }

const group = (name: string, act: () => unknown) => {
  const outer = here
  here = suite(name, outer)
  act()
  here = outer
}
export const describe = Object.assign(group, { each: many(group, true), for: many(group, false) })

/** Vitest accepts options before the function, and a timeout after it. */
const single = (name: string, ...given: readonly unknown[]) => {
  const act = given.find((it) => typeof it === 'function') as () => unknown
  const title = [...around(here).map((it) => it.name), name].filter((it) => it !== '').join(' > ')
  const same = tests.filter(
    ({ id }) => id === `${inFile}#${title}` || id.startsWith(`${inFile}#${title} §`),
  )
  const id = `${inFile}#${title}${same.length === 0 ? '' : ` §${same.length + 1}`}`
  tests.push({ id, file: inFile, suite: here, act })
}
export const it = Object.assign(single, { each: many(single, true), for: many(single, false) })

export const beforeAll = (act: Act) => here.hooks.beforeAll.push(act)
export const afterAll = (act: Act) => here.hooks.afterAll.push(act)
export const beforeEach = (act: Act) => here.hooks.beforeEach.push(act)
export const afterEach = (act: Act) => here.hooks.afterEach.push(act)

/** Timers a test has replaced would never fire. */
const { setTimeout: later, clearTimeout: never } = globalThis
const { now } = performance

const inTime = async (act: Act): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = later(() => reject(new Late(`took longer than ${patience} ms`)), patience)
  })
  try {
    await Promise.race([act(), late])
  } finally {
    never(timer)
  }
}

/** A failure outside of the running test. */
class Late extends Error {}

/**
 * Runs tests one after another, up to the first failure if requested. `onStart` is called before
 * each test and, before that, before each suite whose hooks begin.
 */
export const run = async (
  order: readonly Test[],
  { bail, onStart }: Readonly<{ bail: boolean; onStart: (id: string) => void }>,
): Promise<Readonly<{ outcomes: readonly Outcome[]; late: boolean }>> => {
  const outcomes: Outcome[] = []
  const broken = new Map<Suite, string>()
  let open: Suite[] = []
  let late = false
  const failureOf = async (acts: readonly Act[]): Promise<string | undefined> => {
    try {
      for (const act of acts) await inTime(act)
      return undefined
    } catch (thrown) {
      late ||= thrown instanceof Late
      return thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
    }
  }
  const leave = async (until: readonly Suite[]): Promise<void> => {
    for (const it of open.filter((it) => !until.includes(it)).reverse()) {
      await failureOf(it.hooks.afterAll)
    }
    open = open.filter((it) => until.includes(it))
  }
  for (const test of order) {
    const within = around(test.suite)
    await leave(within)
    const started = now.call(performance)
    for (const it of within.filter((it) => !open.includes(it))) {
      open.push(it)
      onStart(it.id)
      const failure = await failureOf(it.hooks.beforeAll)
      if (failure !== undefined) broken.set(it, failure)
    }
    onStart(test.id)
    const lost = within.map((it) => broken.get(it)).find((it) => it !== undefined)
    const failure =
      lost ?? (await failureOf([...within.flatMap((it) => it.hooks.beforeEach), test.act as Act]))
    const cleanup = await failureOf(within.toReversed().flatMap((it) => it.hooks.afterEach))
    const why = failure ?? cleanup
    const took = now.call(performance) - started
    outcomes.push({ test, took, ...(why === undefined ? {} : { failure: why }) })
    if (why !== undefined && bail) break
  }
  await leave([])
  return { outcomes, late }
}
