import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { applyToEvery, type EveryTenant } from '../harness/every-tenant.ts'
import {
  describeUnknownMisbehaviour,
  type Switchable,
} from '../http/tenant/active-misbehaviours.ts'
import { UsageError } from '../usage-error.ts'
import { didYouMean } from '../wire/closest.ts'
import { type ApproverScript, Dialect, ModelScript, Policy, TenantSeed } from '../wire/index.ts'
import { FlawedFile, parseYaml } from '../wire/yaml-source.ts'

export type ConfigurationOptions = Readonly<{
  /** A file with a tenant, or with `tenants`. Absent: the default tenant. */
  config?: string
  /** A file with the policy for every tenant. */
  policy?: string
  /** A file with the script for every tenant's model. */
  model?: string
  approve?: 'auto' | 'ask' | 'deny'
  /** Dialect switches of every tenant, as NAME=VALUE. */
  dialect?: readonly string[]
  /** Names of the misbehaviours for every tenant. */
  misbehave?: readonly string[]
  /** Name of the first tenant without a name; default `acme-corp`. */
  firstTenant?: string
}>

/**
 * A tenant of the configuration always has a name, so that a changed configuration can be matched with
 * it.
 */
export type ConfiguredTenant = TenantSeed & { tenant: string }

/**
 * What the options say of every tenant, also of those that are made later.
 * @throws {UsageError} for a file that does not fit, and for unknown names
 */
export const everyTenant = async ({
  policy,
  model,
  approve,
  dialect = [],
  misbehave = [],
}: ConfigurationOptions): Promise<EveryTenant> => {
  for (const name of misbehave) {
    const why = describeUnknownMisbehaviour(name, await catalogue())
    if (why !== undefined) throw new UsageError(`--misbehave: ${why}`)
  }
  return {
    dialect: readSwitches(dialect),
    misbehave: misbehave.map((name) => ({ name })),
    ...(policy === undefined ? {} : { policy: readFile(policy, Policy) }),
    ...(model === undefined ? {} : { model: readFile(model, ModelScript) }),
    ...(approve === undefined ? {} : { approver: scripts[approve] }),
  }
}

/** @throws {UsageError} for an unknown switch or value */
const readSwitches = (texts: readonly string[]): Dialect => {
  const given = texts.map((text) => {
    const [name = '', value = ''] = text.split('=')
    const choices: readonly string[] | undefined = Object.hasOwn(Dialect.shape, name)
      ? Dialect.shape[name as keyof Dialect].unwrap().options
      : undefined
    if (choices === undefined) {
      const hint = didYouMean(name, Object.keys(Dialect.shape))
      throw new UsageError(
        `--dialect: there is no switch ${name}${hint || '; lumoauth-harness dialects lists them'}`,
      )
    }
    if (!choices.includes(value)) {
      throw new UsageError(
        `--dialect ${name}: expected ${choices.join(' or ')}, received ${value || 'nothing'}`,
      )
    }
    return [name, value]
  })
  return Dialect.parse(Object.fromEntries(given))
}

/**
 * The tenants that files and options describe.
 * @throws {UsageError} with `file:line:column: what is wrong`, a line for each flaw
 */
export const configuration = async (options: ConfigurationOptions): Promise<ConfiguredTenant[]> => {
  const { config, firstTenant = 'acme-corp' } = options
  const every = await everyTenant(options)
  const tenants = config === undefined ? [TenantSeed.parse({})] : await readTenants(config)
  // Policy, model and approver of the options replace those of the configuration.
  const { policy, model, approver } = every
  const named = tenants.map((seed, index) => ({
    ...applyToEvery(seed, every),
    ...(policy && { policy }),
    ...(model && { model }),
    ...(approver && { approver }),
    tenant: seed.tenant ?? (index === 0 ? firstTenant : `tenant-${index + 1}`),
  }))
  const [twice] = named.filter((it, at) => named.findIndex((o) => o.tenant === it.tenant) !== at)
  if (twice)
    throw new UsageError(
      `${config}: expected different names; two tenants are named ${twice.tenant}`,
    )
  return named
}

const scripts: Record<'auto' | 'ask' | 'deny', ApproverScript> = {
  auto: { decision: 'approve', after_polls: 0, after: 0 },
  ask: { decision: 'ignore', after_polls: 0, after: 0 },
  deny: { decision: 'deny', after_polls: 0, after: 0, reason: 'Denied by start --approve deny.' },
}

const readTenants = async (file: string): Promise<readonly TenantSeed[]> => {
  const several = z.looseObject({ tenants: z.unknown() })
  const isOne = !several.safeParse(readFile(file, z.unknown())).success
  const read = (seed: z.ZodType<TenantSeed>): readonly TenantSeed[] =>
    isOne
      ? [readFile(file, seed)]
      : readFile(file, z.strictObject({ tenants: z.array(seed).min(1) })).tenants
  const tenants = read(TenantSeed)
  // Most configurations have no misbehaviour, so they do not load the catalogue.
  return tenants.every(({ misbehave }) => misbehave.length === 0)
    ? tenants
    : read(refuseUnknownKeys(await catalogue()))
}

/** A tenant seed whose misbehaviours all exist. */
const refuseUnknownKeys = (known: readonly Switchable[]) =>
  TenantSeed.superRefine(({ misbehave }, context) => {
    for (const [index, { name }] of misbehave.entries()) {
      const message = describeUnknownMisbehaviour(name, known)
      if (message === undefined) continue
      context.addIssue({ code: 'custom', path: ['misbehave', index, 'name'], message })
    }
  })

/** @throws {FlawedFile} with one line `file:line:column: message` per error */
export const readFile = <S extends z.ZodType>(file: string, schema: S): z.output<S> => {
  try {
    return parseYaml(file, readFileSync(file, 'utf8'), schema)
  } catch (wrong) {
    if (wrong instanceof FlawedFile) throw new UsageError(wrong.message)
    const { code, message } = wrong as NodeJS.ErrnoException
    if (code === undefined) throw wrong
    throw new UsageError(`cannot read ${file}: ${message.split(',', 1)[0]}`)
  }
}

/** Loaded with the first misbehaviour: most starts have none. */
const catalogue = async (): Promise<readonly Switchable[]> =>
  (await import('../misbehaviours/catalogue.ts')).misbehaviours
