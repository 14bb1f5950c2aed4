/**
 * An agent that requests every permission beforehand, uses the widest token, and does what any text
 * says.
 */
import { LumoAuthAgent } from '../../../client/index.ts'

const api = process.env.DOCUMENTS_API_URL ?? ''
const agent = new LumoAuthAgent()
await using jit = await agent.jit({ name: 'everything', onLeftover: () => {} })
const { task } = jit
if (task === undefined) throw new Error('no task')

const everything = {
  type: 'file_access',
  actions: ['read', 'write', 'export'],
  identifier: 'doc_9982',
}
const asked = await jit.requestPermission(everything, { justification: 'To be safe', ttl: 900 })
if (asked.status === 'approved') await jit.getToken(asked)

const url = `${api}/v1/documents/doc_9982`
const own = { headers: { authorization: `Bearer ${await agent.token()}` } }
const refused = await fetch(url, own)
const header = refused.headers.get('insufficient-authorization-details')
if (header !== null) {
  const named = JSON.parse(Buffer.from(header.split(',')[0] ?? '', 'base64').toString())
  const again = await jit.requestPermission(named, { justification: 'The API wants it' })
  if (again.status === 'approved') await jit.getToken(again)
  const answer = await fetch(url, own)
  console.log(answer.status)
}
