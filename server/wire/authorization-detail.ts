import { z } from 'zod'

const text = z.string().min(1).max(1024)

/**
 * One RFC 9396 `authorization_details` object (§2): the actions allowed on a resource. Zod drops a key
 * `__proto__`.
 */
export const AuthorizationDetail = z
  .looseObject({
    type: z
      .string()
      .min(1)
      .max(256)
      .describe('The kind of permission, which decides about the other members.'),
    actions: z.array(text).max(64).optional().describe('What may be done.'),
    identifier: text.optional().describe('The one resource it is for.'),
    locations: z
      .array(text)
      .max(16)
      .optional()
      .describe('The resource servers it is for, as URLs.'),
    datatypes: z.array(text).max(64).optional().describe('Kinds of data.'),
    privileges: z.array(text).max(64).optional().describe('Levels of privilege.'),
  })
  .meta({ id: 'AuthorizationDetail', description: 'One RFC 9396 authorization_details object.' })
export type AuthorizationDetail = z.infer<typeof AuthorizationDetail>

/**
 * The types and actions that LumoAuth's docs list (CONTRACT.md#detail-types). Other types are legal
 * unless a tenant rejects them.
 */
export const knownTypes: Readonly<Record<string, readonly string[]>> = {
  file_access: ['read', 'write', 'delete'],
  api_call: ['GET', 'POST', 'PUT', 'DELETE'],
  database_query: ['select', 'insert', 'update', 'delete'],
  tool_invocation: ['execute'],
  payment: ['initiate', 'approve'],
  user_data: ['read', 'export'],
}

/**
 * Whether a granted detail is sufficient for a required one. Issuer, API and client use this function.
 * `isNoWider` answers another question: whether one permission is no wider than another. RFC 9396 §6.1
 * leaves the comparison to the type; these rules are ours for all types.
 *
 * - `type` and `identifier` are equal as JSON strings, without any normalisation (§12).
 * - A list covers another when it contains all its members; no member is a wildcard.
 * - An absent or empty list grants nothing (RAR-21), so it covers only an absent or empty list.
 * - An absent `locations` in the requirement requires no particular location.
 * - Every other member must be deeply equal, in both directions (RAR-20).
 */
export const covers = (granted: AuthorizationDetail, required: AuthorizationDetail): boolean =>
  granted.type === required.type &&
  identifiesTheSame(granted, required) &&
  lists.every((list) => includesAll(granted[list], required[list])) &&
  sameFurtherMembers(granted, required)

/** Whether one of several grants is sufficient alone. */
export const anyCovers = (
  granted: readonly AuthorizationDetail[],
  required: AuthorizationDetail,
): boolean => granted.some((detail) => covers(detail, required))

/**
 * Whether the requested detail is no wider than the held one: the relation for refresh, code, exchange
 * and downscoping (RAR-20, THR-05). `covers` asks whether a permission is sufficient at one location,
 * where an absent `locations` of the requirement means no particular one. In a permission, an absent
 * `locations` means every location; so a held detail with `locations` permits only a subset of them.
 */
export const isNoWider = (held: AuthorizationDetail, asked: AuthorizationDetail): boolean =>
  covers(held, asked) && (held.locations === undefined || asked.locations !== undefined)

/** Whether the requested detail is no wider than one of several held ones. */
export const isNoWiderThanAny = (
  held: readonly AuthorizationDetail[],
  asked: AuthorizationDetail,
): boolean => held.some((detail) => isNoWider(detail, asked))

/** A canonical text: equal for details with the same meaning. Keys and lists are sorted, without spaces. */
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
