import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Harness } from '../harness/harness.ts'
import type { TestTenant } from '../harness/test-tenant.ts'
import { UsageError } from '../usage-error.ts'
import { type ConfigurationOptions, type ConfiguredTenant, configuration } from './configuration.ts'
import type { Say } from './log-style.ts'

/** Milliseconds in which an editor is given time to finish writing. */
const settleMilliseconds = 50

/**
 * Reads the configuration again whenever one of its files changes. A file that cannot be used
 * changes nothing, and is complained about.
 * @returns what ends the watching
 */
export const watchConfiguration = (
  harness: Harness,
  seeds: readonly ConfiguredTenant[],
  options: ConfigurationOptions,
  say: Say,
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
      const changes = apply(harness, tenants, known, wanted)
      known = wanted
      if (changes.length > 0)
        say('info', `read ${files.join(' and ')} again: ${changes.join('; ')}`)
      else if (complained !== '' || isAsked) say('info', `${files.join(' and ')}: as it was before`)
      complained = ''
    } catch (wrong) {
      if (!(wrong instanceof UsageError)) throw wrong
      if (wrong.message !== complained) say('error', `${wrong.message}\nnothing was changed`)
      complained = wrong.message
    }
  }
  // Editors replace files, so it is their folders that are watched.
  const watchers = [...new Set(files.map((it) => dirname(it)))].map((folder) =>
    watch(folder, () => {
      clearTimeout(timer)
      timer = setTimeout(() => void reload(), settleMilliseconds)
    }),
  )
  // An editor's save is seen by itself; a file that is mounted, or replaced elsewhere, takes this.
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

/** Makes the tenants what they are wanted to be. @returns what was done, in words */
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
    changes.push(`${slug} is gone`)
  }
  for (const seed of after) {
    const old = before.find((it) => it.tenant === seed.tenant)
    const tenant = tenants.get(seed.tenant)
    if (old === undefined || tenant === undefined) {
      tenants.set(seed.tenant, harness.createTenant(seed))
      changes.push(`${seed.tenant} is new`)
    } else {
      changes.push(...change(tenant, old, seed))
    }
  }
  return changes
}

/** Policy, dialect, approver, model and defects change under way; all else is what a tenant begins with. */
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
  return [`${said}; it begins anew, without its tasks and tokens`]
}

const reloadableKeys = new Set(['policy', 'dialect', 'approver', 'model', 'misbehave'])
