/** A client's id and secret, as HTTP Basic carries them. */
export type BasicCredentials = Readonly<{ id: string; secret: string }>

/** The value of `Authorization`: both are form-encoded before they are joined (RFC 6749 §2.3.1). */
export const encodeBasic = ({ id, secret }: BasicCredentials): string =>
  `Basic ${Buffer.from([id, secret].map(formEncode).join(':')).toString('base64')}`

/**
 * The credentials of an `Authorization`; undefined where it is of another scheme. Where `flaw` says
 * what is wrong, id and secret are as much as can be read.
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
