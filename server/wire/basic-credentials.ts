/** A client's id and secret, as HTTP Basic transmits them. */
export type BasicCredentials = Readonly<{ id: string; secret: string }>

/** The value of `Authorization`. Both parts are form-encoded, then joined (RFC 6749 §2.3.1). */
export const encodeBasic = ({ id, secret }: BasicCredentials): string =>
  `Basic ${Buffer.from([id, secret].map(formEncode).join(':')).toString('base64')}`

/**
 * Parses the credentials of an `Authorization` field. When `flaw` is present, `id` and `secret` contain
 * what could be decoded.
 * @returns undefined when the field has another scheme
 */
export const decodeBasic = (
  authorization = '',
): (BasicCredentials & Readonly<{ flaw?: 'malformed' | 'not form-encoded' }>) | undefined => {
  const encoded = /^basic +(\S+) *$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const secret = rest.join(':')
  if (rest.length === 0) return { id, secret, flaw: 'malformed' }
  try {
    return { id: formDecode(id), secret: formDecode(secret) }
  } catch {
    return { id, secret, flaw: 'not form-encoded' }
  }
}

const formEncode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)

const formDecode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
