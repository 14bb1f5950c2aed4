/** `Authorization` of a client (RFC 6749 §2.3.1: id and secret are form-encoded first). */
export const basic = ({
  client_id,
  client_secret,
}: Readonly<{ client_id: string; client_secret: string }>): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')}`
