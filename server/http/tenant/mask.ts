import { replaceJwts } from '../../wire/jwt-shape.ts'
import { secretHeaders, secretNames } from '../../wire/secret-names.ts'

/** Masks secrets by name in forms, queries and JSON, and JWTs by their shape. */
export const mask = (text: string): string =>
  replaceJwts(text, '***').replace(inForms, '$1$2=***').replace(inJson, '$1"***"')

const names = secretNames.join('|')
const inForms = new RegExp(`(^|[?&])(${names})=[^&]*`, 'g')
const inJson = new RegExp(`("(?:${names})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'g')

/** Header fields with secrets masked; of `Authorization` the scheme stays. */
export const maskHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeaders.has(name) ? value.replace(/^(\w+ )?.*$/s, '$1***') : mask(value),
    ]),
  )
