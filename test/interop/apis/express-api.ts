/** A documents API as a user writes it: Express and our guard. */
import express from 'express'
import { lumoauthGuard } from '../../../server/express/index.ts'

const { LUMOAUTH_ISSUER, LUMOAUTH_AUDIENCE, API_CLIENT_ID, API_CLIENT_SECRET, PORT, HOST } =
  process.env
const documents = new Map([
  ['plan', 'Sell apples.'],
  ['budget', 'None left.'],
])
const guard = lumoauthGuard({
  tenant: LUMOAUTH_ISSUER ?? '',
  audience: LUMOAUTH_AUDIENCE ?? '',
  introspection: { clientId: API_CLIENT_ID ?? '', clientSecret: API_CLIENT_SECRET ?? '' },
})
const named = (action: string) =>
  guard.requiring(({ params }) => ({
    detail: { type: 'file_access', actions: [action], identifier: String(params.name) },
  }))

const app = express()
app.get('/documents/:name', named('read'), ({ params }, response) => {
  response.type('text').send(documents.get(String(params.name)) ?? '')
})
app.put('/documents/:name', express.json(), named('write'), ({ params, body }, response) => {
  documents.set(String(params.name), body.text)
  response.json({ ok: true })
})
app.listen(Number(PORT), HOST ?? '127.0.0.1')
