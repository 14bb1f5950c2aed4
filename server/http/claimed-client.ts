import type { HttpRequest } from './message.ts'

/** What a request says of its client, in the form or by HTTP Basic, unchecked. */
export const credentialsIn = ({ headers, body }: HttpRequest): { id: string; secret: string } => {
  const [, basic] = /^basic +(\S+)/i.exec(headers.authorization ?? '') ?? []
  if (basic !== undefined) {
    const [id = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':')
    return { id: formDecoded(id), secret: formDecoded(secret.join(':')) }
  }
  const form = new URLSearchParams(body)
  return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
}

/** Of what is not form-encoded, as much as can be read: the honest handler refuses it. */
const formDecoded = (text: string) => new URLSearchParams(`text=${text}`).get('text') ?? ''
