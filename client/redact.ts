import { replaceJwts } from '../server/wire/jwt-shape.ts'

/**
 * Removes secrets from a text: the given ones, and everything with the shape of a token. Also removes
 * control characters, so that a server cannot send commands to a terminal in an error.
 */
export const redact = (text: string, secrets: readonly string[] = []): string => {
  const known = secrets
    .filter((secret) => secret !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, redactedText), text)
  return shapes
    .reduce(
      (shown, [shape, instead]) => shown.replace(shape, instead),
      replaceJwts(known, redactedText, 2),
    )
    .replace(/\p{Cc}+/gu, ' ')
}

const redactedText = '[hidden]'

const shapes: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]{20,}/gi, `$1 ${redactedText}`],
  [
    /((?:access_token|refresh_token|subject_token|actor_token|client_secret|client_assertion)["']?\s*[=:]\s*["']?)[^\s"'&,}]+/gi,
    `$1${redactedText}`,
  ],
]
