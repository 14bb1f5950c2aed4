import { replaceJwts } from '../../wire/jwt-shape.ts'
import { maskByName } from '../../wire/mask.ts'
import { isShownHeader } from '../../wire/secret-names.ts'

/** Masks secrets by name in forms, queries and JSON, and JWTs by their shape. */
export const mask = (text: string): string => maskByName(replaceJwts(text, '***'), '***')

/** Header fields with secrets masked. In an unknown field only the scheme stays. */
export const maskHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isShownHeader(name) ? mask(value) : value.replace(/^(\w+ )?.*$/s, '$1***'),
    ]),
  )
