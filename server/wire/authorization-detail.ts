import { z } from 'zod'

const text = z.string().min(1).max(1024)

/** One RFC 9396 `authorization_details` object (§2): what may be done to what. A key `__proto__` is dropped by zod. */
export const AuthorizationDetail = z
  .looseObject({
    type: z.string().min(1).max(256),
    actions: z.array(text).max(64).optional(),
    identifier: text.optional(),
    locations: z.array(text).max(16).optional(),
    datatypes: z.array(text).max(64).optional(),
    privileges: z.array(text).max(64).optional(),
  })
  .meta({ id: 'AuthorizationDetail', description: 'One RFC 9396 authorization_details object.' })
export type AuthorizationDetail = z.infer<typeof AuthorizationDetail>

/** What LumoAuth's docs list (contract §5.1). Other types are legal unless a tenant refuses them. */
export const knownTypes: Readonly<Record<string, readonly string[]>> = {
  file_access: ['read', 'write', 'delete'],
  api_call: ['GET', 'POST', 'PUT', 'DELETE'],
  database_query: ['select', 'insert', 'update', 'delete'],
  tool_invocation: ['execute'],
  payment: ['initiate', 'approve'],
  user_data: ['read', 'export'],
}

/**
 * Whether what was granted is enough for what is required, used by issuer, API and client alike.
 * Whether one permission is no wider than another is another question: `isNoWider` (RFC 9396 §6.1 leaves the comparison to the type; this is ours for all types).
 *
 * - `type` and `identifier` are equal as JSON strings, without any normalisation (§12).
 * - A list covers another when it holds all its members; no member is a wildcard.
 * - An absent or empty list grants nothing (RAR-21), so it covers only a list that is absent or empty.
 * - An absent `locations` in the requirement asks for no particular place.
 * - Every further member must be deeply equal, in both directions (RAR-20: nothing is dropped or added).
 */
export const covers = (granted: AuthorizationDetail, required: AuthorizationDetail): boolean =>
  granted.type === required.type &&
  identifiesTheSame(granted, required) &&
  lists.every((list) => includesAll(granted[list], required[list])) &&
  sameFurtherMembers(granted, required)

/** Whether any of several grants is enough by itself. */
export const anyCovers = (
  granted: readonly AuthorizationDetail[],
  required: AuthorizationDetail,
): boolean => granted.some((detail) => covers(detail, required))

/**
 * Whether what is asked for is no wider than what is held: the relation for refresh, code, exchange
 * and downscoping (RAR-20, THR-05). `covers` asks whether a permission is enough at one place, where
 * an absent `locations` of the requirement asks for no particular place; of a permission, an absent
 * `locations` means every place. So a detail that is bound to places stays bound to some of them.
 */
export const isNoWider = (held: AuthorizationDetail, asked: AuthorizationDetail): boolean =>
  covers(held, asked) && (held.locations === undefined || asked.locations !== undefined)

/** Whether what is asked for is no wider than one of several that are held. */
export const isNoWiderThanAny = (
  held: readonly AuthorizationDetail[],
  asked: AuthorizationDetail,
): boolean => held.some((detail) => isNoWider(detail, asked))

/** A text that is equal for details that mean the same: keys and lists in order, no spaces. */
export const canonical = (detail: AuthorizationDetail): string => JSON.stringify(sorted(detail))

const lists = ['actions', 'locations', 'datatypes', 'privileges'] as const
const compared = new Set<string>(['type', 'identifier', ...lists])

const identifiesTheSame = (granted: AuthorizationDetail, required: AuthorizationDetail) =>
  granted.identifier === required.identifier

const includesAll = (granted: readonly string[] = [], required: readonly string[] = []) =>
  required.every((member) => granted.includes(member))

const sameFurtherMembers = (a: AuthorizationDetail, b: AuthorizationDetail) =>
  JSON.stringify(sorted(further(a))) === JSON.stringify(sorted(further(b)))

const further = (detail: AuthorizationDetail) =>
  Object.fromEntries(Object.entries(detail).filter(([key]) => !compared.has(key)))

const sorted = (value: unknown, key = ''): unknown => {
  if (Array.isArray(value)) {
    const members = value.map((member) => sorted(member))
    return (lists as readonly string[]).includes(key) ? members.sort() : members
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member, name)]),
  )
}
