import { foreign, h } from './dom.js'
import { block, json } from './parts.js'

/** A request and its answer in full, secrets masked, with what its tokens say. */
export const exchangeDetail = ({ request, answer, tokens = [], violations, route }) =>
  h(
    'div',
    { class: 'exchange' },
    violations.length > 0
      ? h('div', { class: 'problem' }, 'Breaks the contract: ', foreign(violations.join('; ')))
      : null,
    h(
      'div',
      { class: 'two' },
      half('Request', `${request.method} ${request.path}`, request),
      half('Answer', String(answer.status), answer),
    ),
    h(
      'div',
      { class: 'two' },
      tokens.map(({ where, header, claims }) =>
        h(
          'section',
          { class: 'token' },
          h('p', { class: 'part' }, 'Token, decoded: ', foreign(where)),
          json({ header, claims }, `Decoded token in the ${where}`),
        ),
      ),
    ),
    h('p', { class: 'muted' }, 'Route ', h('code', {}, foreign(route ?? 'none'))),
  )

const half = (title, line, { headers, body }) =>
  h(
    'section',
    {},
    h('p', { class: 'part' }, title),
    h('p', { class: 'line' }, h('code', {}, foreign(line))),
    body === '' ? null : block(indented(body), `${title} body`),
    h(
      'details',
      {},
      h('summary', {}, `${Object.keys(headers).length} headers`),
      h(
        'dl',
        { class: 'headers' },
        Object.entries(headers).map(([name, value]) => [
          h('dt', {}, foreign(name)),
          h('dd', {}, foreign(value)),
        ]),
      ),
    ),
  )

const indented = (body) => {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
