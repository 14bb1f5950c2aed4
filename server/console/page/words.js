import { foreign, h } from './dom.js'
import { inShort } from './parts.js'
import { duration } from './time.js'

const short = (id = '') => h('code', {}, foreign(id))
const who = (id) => foreign(id === 'policy' ? 'the policy' : id)
const because = (text) => (text === undefined ? null : [': ', foreign(text)])

/** One line per kind of entry. The page also shows the whole entry. */
const sentences = {
  'tenant.seeded': ({ agents, users }) => [`${agents.length} agents and ${users.length} users`],
  'policy.replaced': ({ policy }) => [`${policy.rules.length} rules`],
  'dialect.set': () => ['how this issuer speaks'],
  'approver.scripted': ({ script }) => ['the scripted approver will ', foreign(script.decision)],
  'task.opened': ({ task }) => [foreign(task.name ?? task.id)],
  'permission.requested': ({ request }) => [inShort(request.detail), `, ${request.risk} risk`],
  'permission.endorsed': ({ by, actions }) => [
    'approval by ',
    who(by),
    actions ? [' of ', foreign(actions.join(', '))] : null,
  ],
  'permission.approved': ({ by, ttl, detail, notes, message }) => [
    'by ',
    who(by),
    ` for ${duration(ttl)}`,
    detail ? [', narrowed to ', inShort(detail)] : null,
    because(notes ?? message),
  ],
  'permission.denied': ({ by, reason, message }) => ['by ', who(by), because(reason ?? message)],
  'permission.revoked': ({ by }) => ['by ', who(by)],
  'token.issued': ({ token }) => [
    `${token.kind} token `,
    short(token.jti),
    ` for ${duration(token.expiresAt - token.issuedAt)}`,
  ],
  'token.revoked': ({ jti, reason }) => [short(jti), `, ${reason.replaceAll('_', ' ')}`],
  'task.evaluated': ({ result }) => [foreign(result ?? 'without a result')],
  'task.completed': ({ taskId }) => [short(taskId)],
  'task.suspended': ({ reason, by }) => [foreign(reason), by ? [', ', who(by)] : null],
}

export const sentence = (entry) => {
  try {
    return sentences[entry.type]?.(entry) ?? []
  } catch {
    return []
  }
}
