/** A JWT's header and claims, or the JSON inside base64 of either alphabet. Nothing is verified. */
export const decode = (text: unknown): unknown => {
  if (typeof text !== 'string') return undefined
  const [header, claims, ...rest] = text.split('.')
  if (claims !== undefined && rest.length === 1) {
    const decoded = { header: json(header ?? ''), claims: json(claims) }
    return decoded.header === undefined || decoded.claims === undefined ? undefined : decoded
  }
  return json(text)
}

const json = (base64: string): unknown => {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
}
