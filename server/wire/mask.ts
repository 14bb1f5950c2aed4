import { decodeParameter } from './decode-uri.ts'
import { isReceiverUrl, isSecretName, isSecretParameter } from './secret-names.ts'

/**
 * Masks the values of secret names in forms, in queries, in JSON, and in texts encoded within these.
 * Compares names decoded and without case. Masks the whole query of a callback's URL. Returns text
 * without secrets unchanged.
 * @param instead written in place of each secret
 */
export const maskByName = (text: string, instead: string): string => maskWithin(text, instead, 4)

/** @param deep maximum levels of texts within texts; a text on a deeper level is masked whole */
const maskWithin = (text: string, instead: string, deep: number): string => {
  if (deep === 0) return instead
  return /^\s*[[{"]/.test(text)
    ? maskJson(text, instead, deep)
    : maskParameters(text, instead, deep)
}

const maskJson = (text: string, instead: string, deep: number): string => {
  let name: string | undefined
  let end = 0
  return text.replace(/"(?:[^"\\]|\\.)*"?/gs, (literal: string, at: number) => {
    const between = text.slice(end, at).replaceAll(/\s/g, '')
    end = at + literal.length
    const isValue = between === ':' || between === ':['
    const under = isValue ? name : undefined
    const decoded = decodeLiteral(literal)
    name = isValue ? undefined : decoded
    const isSecret = under !== undefined && decoded !== '' && isSecretName(under)
    const masked = isSecret ? instead : maskValue(under, decoded, instead, deep)
    return masked === decoded ? literal : JSON.stringify(masked)
  })
}

const maskParameters = (text: string, instead: string, deep: number): string => {
  const isQuery = /[?#]/.test(text)
  return text.replace(
    isQuery ? parameterInUrl : parameterOfForm,
    (parameter: string, before: string, name: string, value: string) => {
      const decoded = decodeParameter(value)
      const plain = decodeParameter(name)
      const isSecret = decoded !== '' && isSecretParameter(plain)
      const masked = isSecret ? instead : maskValue(plain, decoded, instead, deep)
      return masked === decoded ? parameter : `${before}${name}=${encodeShown(masked, instead)}`
    },
  )
}

const parameterInUrl = /(^|[?&#])([^=&?#\s"'<>]{1,200})=([^&#\s"'<>]*)/g
const parameterOfForm = /(^|&)([^=&\s]{1,200})=([^&]*)/g

const maskValue = (
  name: string | undefined,
  value: string,
  instead: string,
  deep: number,
): string => {
  if (value === '') return value
  if (name !== undefined && isReceiverUrl(name)) return maskQuery(value, instead)
  return value.includes('=') || value.includes('"') ? maskWithin(value, instead, deep - 1) : value
}

const maskQuery = (url: string, instead: string): string => {
  const [before = '', query] = url.split(/\?(.*)/s)
  return query === undefined
    ? url
    : `${before}?${query.replaceAll(/([^&=]+=)?[^&]+/g, `$1${instead}`)}`
}

const decodeLiteral = (literal: string): string => {
  if (!literal.includes('\\')) return literal.replaceAll('"', '')
  try {
    return JSON.parse(literal)
  } catch {
    return literal.slice(1)
  }
}

const encodeShown = (value: string, instead: string): string =>
  value.split(instead).map(encodeURIComponent).join(instead)
