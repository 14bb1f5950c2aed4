import { type AuthorizationDetail, covers } from '../server/wire/authorization-detail.ts'
import { ConfigError } from './errors.ts'
import { typeName } from './type-name.ts'

/** The request that a challenge answered. */
export type Challenged = Readonly<{ method: string; url: URL }>

/**
 * The permissions that may be requested after a challenge: a list, or a function. A function permits
 * only with `true`, returned or by a promise. In a list, an omitted `identifier`, `locations` or
 * `datatypes` permits any; actions, privileges and all other members must be listed. A list never
 * permits a location on another origin than the one that requires the detail (RES-07).
 */
export type Allow =
  | readonly AuthorizationDetail[]
  | ((detail: AuthorizationDetail, request: Challenged) => boolean | Promise<boolean>)

/** The default: read permissions that a policy is unlikely to treat as sensitive. */
export const reading: readonly AuthorizationDetail[] = [
  { type: 'file_access', actions: ['read'] },
  { type: 'api_call', actions: ['GET'] },
  { type: 'database_query', actions: ['select'] },
]

/**
 * The caller's `allow` as one function (HDR-06, THR-14).
 * @throws {ConfigError} when a function returns something else than true or false
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

/** The permitted detail, with its omitted members taken from the requested detail. */
const widenPermission = (
  permission: AuthorizationDetail,
  { identifier, locations, datatypes }: AuthorizationDetail,
): AuthorizationDetail => ({
  ...(identifier === undefined ? {} : { identifier }),
  ...(locations === undefined ? {} : { locations }),
  ...(datatypes === undefined ? {} : { datatypes }),
  ...permission,
})
