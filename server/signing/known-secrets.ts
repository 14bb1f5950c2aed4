import { decodeUri } from '../wire/decode-uri.ts'
import { hashSecret } from './secrets.ts'

/** Whether a word is a secret, by its SHA-256. */
export type SecretHashes = Pick<ReadonlySet<string>, 'has'>

/** Candidates for secrets: eight or more characters that do not end a value in JSON, URLs or prose. */
export const secretWord = /[^\s"'`\\,;:=(){}<>[\]?&#]{8,}/g

/** Masks each word that is a secret, also when it is percent-encoded. */
export const maskKnown = (text: string, secrets: SecretHashes): string =>
  text.replace(secretWord, (word) => maskWord(word, secrets))

const maskWord = (word: string, secrets: SecretHashes): string => {
  if (isKnown(word, secrets)) return '***'
  if (!word.includes('/')) return word
  const segments = word.split('/')
  return segments.map((it) => (isKnown(it, secrets) ? '***' : it)).join('/')
}

/** Whether a word is a secret, plain or percent-encoded. */
export const isKnown = (word: string, secrets: SecretHashes): boolean =>
  word.length >= 8 &&
  (secrets.has(hashSecret(word)) ||
    (word.includes('%') && secrets.has(hashSecret(decodeUri(word)))))
