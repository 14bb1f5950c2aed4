import { type AuthorizationDetail, covers } from '../server/wire/authorization-detail.ts'
import { ConfigError } from './errors.ts'
import { typeName } from './type-name.ts'

/** What a challenge was the answer to. */
export type Challenged = Readonly<{ method: string; url: URL }>

/**
 * What may be asked for when a resource server says it is missing: a list of permissions, or a function. Only
 * `true` from the function permits, returned or by a promise. In a list, members left out of `identifier`,
 * `locations` and `datatypes` permit any; actions, privileges and all other members must be listed. A list
 * never permits a location on another origin than the one that requires the detail (RES-07).
 */
export type Allow =
  | readonly AuthorizationDetail[]
  | ((detail: AuthorizationDetail, request: Challenged) => boolean | Promise<boolean>)

/** The default: reading, and nothing that a policy is likely to call sensitive. */
export const reading: readonly AuthorizationDetail[] = [
  { type: 'file_access', actions: ['read'] },
  { type: 'api_call', actions: ['GET'] },
  { type: 'database_query', actions: ['select'] },
]

/**
 * The policy of the caller as one function (HDR-06, THR-14).
 * @throws {ConfigError} when a function answers something else than true or false
 */
export const permits =
  (allow: Allow) =>
  async (detail: AuthorizationDetail, request: Challenged): Promise<boolean> =>
    typeof allow === 'function'
      ? readBoolean(await allow(detail, request))
      : (detail.locations ?? []).every((it) => URL.parse(it)?.origin === request.url.origin) &&
        allow.some((permission) => covers(widenPermission(permission, detail), detail))

const readBoolean = (answer: unknown): boolean => {
  if (typeof answer === 'boolean') return answer
  throw new ConfigError(`allow: expected true or false, received ${typeName(answer)}`)
}

/** The permission, with what it leaves open filled in from the detail. */
const widenPermission = (
  permission: AuthorizationDetail,
  { identifier, locations, datatypes }: AuthorizationDetail,
): AuthorizationDetail => ({
  ...(identifier === undefined ? {} : { identifier }),
  ...(locations === undefined ? {} : { locations }),
  ...(datatypes === undefined ? {} : { datatypes }),
  ...permission,
})
