/** A client's id and secret, as HTTP Basic transmits them. */
export type BasicCredentials = Readonly<{ id: string; secret: string }>

/** The value of `Authorization`. Both parts are form-encoded, then joined (RFC 6749 §2.3.1). */
export const encodeBasic = ({ id, secret }: BasicCredentials): string =>
  `Basic ${Buffer.from([id, secret].map(formEncode).join(':')).toString('base64')}`

/** `raw`: both parts as sent. `flaw`: `id` and `secret` contain what could be decoded. */
type DecodedBasic = BasicCredentials &
  Readonly<{ raw: BasicCredentials; flaw?: 'malformed' | 'not form-encoded' }>

/**
 * Parses the credentials of an `Authorization` field.
 * @returns undefined when the field has another scheme
 */
export const decodeBasic = (authorization = ''): DecodedBasic | undefined => {
  const encoded = /^basic +(\S+) *$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const secret = rest.join(':')
  const raw = { id, secret }
  if (rest.length === 0) return { ...raw, raw, flaw: 'malformed' }
  try {
    return { id: formDecode(id), secret: formDecode(secret), raw }
  } catch {
    return { ...raw, raw, flaw: 'not form-encoded' }
  }
}

const formEncode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)

const formDecode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
