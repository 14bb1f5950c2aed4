import { foreign, h } from './dom.js'
import { button, inShort, moment, riskBadge, statusBadge } from './parts.js'
import { duration } from './time.js'

/** Which token came from which: the agent's own, what was approved with it, what that was used for. */
export const createLineage = ({ open }) => {
  const element = h('div', { class: 'lineage' })
  let drawn = ''

  const show = ({ tokens, requests, exchanges, now }) => {
    const key = JSON.stringify([
      tokens,
      requests.map(({ id, status, decided, approvals }) => [id, status, decided, approvals]),
      tokens.map((it) => stateOf(it, now)),
    ])
    if (key === drawn) return
    drawn = key
    const roots = tokens.filter(({ request_id: id }) => id === null)
    const known = new Set(roots.map(({ jti }) => jti))
    const jit = tokens.filter(({ request_id: id }) => id !== null)
    const waiting = requests.filter(({ id }) => !jit.some(({ request_id: from }) => from === id))
    const chainsOf = (root) =>
      jit.filter(({ from }) => from === root?.jti || (root === roots[0] && !known.has(from)))
    const trees = roots.length > 0 ? roots : [undefined]
    element.replaceChildren(
      ...trees.map((root, at) =>
        h(
          'div',
          { class: 'tree' },
          root
            ? station(
                'Agent token',
                [
                  h('code', { class: 'jti' }, foreign(root.jti)),
                  h(
                    'span',
                    { class: 'muted' },
                    root.scope ? ['scope ', foreign(root.scope)] : 'no scope',
                  ),
                ],
                'root',
              )
            : station(
                'Agent token',
                [h('span', { class: 'muted' }, 'issued before what is remembered')],
                'root',
              ),
          h(
            'ol',
            { class: 'chains', 'aria-label': 'What was asked with it' },
            chainsOf(root).map((token) =>
              chain(
                token,
                requests.find(({ id }) => id === token.request_id),
              ),
            ),
            at === 0 ? waiting.map((request) => h('li', { class: 'chain' }, asked(request))) : [],
          ),
        ),
      ),
    )

    function chain(token, request) {
      const state = stateOf(token, now)
      return h(
        'li',
        { class: 'chain' },
        request ? asked(request) : station('Request', [foreign(token.request_id)]),
        station('JIT token', [
          h('code', { class: 'jti' }, foreign(token.jti)),
          h('span', { class: 'muted' }, `for ${duration(token.expires_at - token.issued_at)}`),
        ]),
        station(
          token.uses.length === 1 ? '1 call' : `${token.uses.length} calls`,
          token.uses.slice(0, 4).map((seq) => {
            const { request: call, answer } = exchanges.find((it) => it.seq === seq)
            return button(
              [
                foreign(`${call.method} ${call.path.replace(/^\/t\/[^/]+/, '')}`),
                ` ${answer.status}`,
              ],
              () => open(seq),
              { class: 'call' },
            )
          }),
        ),
        station(
          state.label,
          [
            state.at === undefined ? null : moment(state.at),
            state.why ? h('span', { class: 'muted' }, state.why) : null,
          ],
          state.tone,
        ),
      )
    }
  }
  return { element, show }
}

const asked = (request) => {
  const { decided, approvals, approvals_required: required, status } = request
  return station('Request', [
    h('span', {}, inShort(request.detail)),
    h('span', { class: 'badges' }, riskBadge(request.risk), statusBadge(decided?.as ?? status)),
    decided
      ? h(
          'span',
          { class: 'muted' },
          decided.as === 'approved' ? 'by ' : 'denied by ',
          foreign(decided.by.name),
        )
      : h(
          'span',
          { class: 'muted' },
          status === 'pending' ? `${approvals.length} of ${required} approvals` : '',
        ),
  ])
}

const station = (title, children, tone = '') =>
  h('div', { class: `station ${tone}` }, h('h3', {}, title), children)

const stateOf = ({ revoked, expires_at: expiresAt }, now) => {
  if (revoked)
    return {
      label: 'Revoked',
      at: revoked.at,
      why: revoked.reason.replaceAll('_', ' '),
      tone: revoked.reason === 'task_completed' ? 'over' : 'bad',
    }
  if (expiresAt <= now) return { label: 'Expired', at: expiresAt, tone: 'over' }
  return { label: 'Alive', at: expiresAt, why: 'until then at most', tone: 'good' }
}
