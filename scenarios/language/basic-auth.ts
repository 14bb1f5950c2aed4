import { encodeBasic } from '../../server/wire/basic-credentials.ts'

/** `Authorization` of a client. */
export const basic = ({
  client_id,
  client_secret,
}: Readonly<{ client_id: string; client_secret: string }>): string =>
  encodeBasic({ id: client_id, secret: client_secret })
