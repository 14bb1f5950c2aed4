import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { EveryTenant } from '../harness/every-tenant.ts'
import type { Harness } from '../harness/harness.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import { UsageError } from '../usage-error.ts'
import {
  type ConfigurationOptions,
  type ConfiguredTenant,
  configuration,
  everyTenant,
} from './configuration.ts'
import type { Say } from './log-style.ts'

/** Milliseconds to wait for an editor to finish writing. */
const settleMilliseconds = 50

/**
 * Reads the configuration again when one of its files changes. An invalid file changes nothing and is
 * logged as an error.
 * @returns a function that stops the watching
 */
export const watchConfiguration = (
  harness: Harness,
  seeds: readonly ConfiguredTenant[],
  options: ConfigurationOptions,
  say: Say,
  onEvery: (every: EveryTenant) => void = () => {},
): Disposable => {
  const files = [options.config, options.policy, options.model].filter((it) => it !== undefined)
  const tenants = new Map(harness.tenants.map((it) => [it.tenant, it]))
  let known = seeds
  let complained = ''
  let timer: NodeJS.Timeout | undefined

  const reload = async ({ isAsked = false } = {}) => {
    if (files.length === 0) return say('info', 'no configuration to read again')
    try {
      const wanted = await configuration(options)
      onEvery(await everyTenant(options))
      const changes = apply(harness, tenants, known, wanted)
      known = wanted
      if (changes.length > 0)
        say('info', `read ${files.join(' and ')} again: ${changes.join('; ')}`)
      else if (complained !== '' || isAsked) say('info', `${files.join(' and ')}: unchanged`)
      complained = ''
    } catch (wrong) {
      if (!(wrong instanceof UsageError)) throw wrong
      if (wrong.message !== complained) say('error', `${wrong.message}\nnothing was changed`)
      complained = wrong.message
    }
  }
  // Editors replace files, so this watches their folders.
  const watchers = [...new Set(files.map((it) => dirname(it)))].map((folder) =>
    watch(folder, () => {
      clearTimeout(timer)
      timer = setTimeout(() => void reload(), settleMilliseconds)
    }),
  )
  // A file watcher misses changes of a mounted file, and of one that is replaced elsewhere; this finds
  // them.
  const hangUp = () => void reload({ isAsked: true })
  process.on('SIGHUP', hangUp)
  return {
    [Symbol.dispose]: () => {
      process.off('SIGHUP', hangUp)
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/**
 * Changes the tenants to match the new configuration.
 * @returns a description of the changes
 */
const apply = (
  harness: Harness,
  tenants: Map<string, TestTenant>,
  before: readonly ConfiguredTenant[],
  after: readonly ConfiguredTenant[],
): string[] => {
  const changes: string[] = []
  for (const { tenant: slug } of before) {
    if (after.some((it) => it.tenant === slug)) continue
    tenants.get(slug)?.delete()
    tenants.delete(slug)
    changes.push(`${slug} was deleted`)
  }
  for (const seed of after) {
    const old = before.find((it) => it.tenant === seed.tenant)
    const tenant = tenants.get(seed.tenant)
    if (old === undefined || tenant === undefined) {
      tenants.set(seed.tenant, harness.createTenant(seed, { replace: true }))
      changes.push(`${seed.tenant} was created`)
    } else {
      changes.push(...change(tenant, old, seed))
    }
  }
  return changes
}

/**
 * Policy, dialect, approver, model and misbehaviours change in place; any other change resets the
 * tenant.
 */
const change = (tenant: TestTenant, old: ConfiguredTenant, seed: ConfiguredTenant): string[] => {
  const changed = Object.keys({ ...old, ...seed }).filter(
    (key) => !isDeepStrictEqual(Reflect.get(old, key), Reflect.get(seed, key)),
  )
  if (changed.length === 0) return []
  const said = `${tenant.tenant}: new ${changed.join(', ')}`
  if (changed.every((key) => reloadableKeys.has(key))) {
    tenant.amend(seed)
    return [said]
  }
  tenant.reset(seed)
  return [`${said}; it was reset, without its tasks and tokens`]
}

const reloadableKeys = new Set(['policy', 'dialect', 'approver', 'model', 'misbehave'])
