import { h, setText } from './dom.js'
import { button } from './parts.js'

const levels = ['low', 'medium', 'high', 'critical']
const riskOf = ({ risk }) => levels.indexOf(risk)

/** The request that expires first comes first; of two that expire together, the riskier one. */
export const urgentFirst = (a, b) =>
  a.expires_at - b.expires_at || riskOf(b) - riskOf(a) || a.requested_at - b.requested_at

const riskyFirst = (a, b) => riskOf(b) - riskOf(a) || urgentFirst(a, b)

const newestFirst = (a, b) => b.requested_at - a.requested_at

/** @returns the comparison function of an order */
export const orderOf = (name) => ({ risk: riskyFirst, newest: newestFirst })[name] ?? urgentFirst

/** Whether every word occurs in a text of the request. */
export const isFound = (request, words) => {
  const { id, agent, task, detail, justification, on_behalf_of: user } = request
  const text = [id, agent.name, task.id, task.name, user?.name, user?.email, justification]
    .concat(JSON.stringify(detail))
    .join('\n')
    .toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** Search, risk filter and order of the inbox. Always shows how many requests a filter hides. */
export const createFilters = (changed) => {
  const search = h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': 'Search requests',
    spellcheck: 'false',
    oninput: () => changed(),
  })
  const select = (label, options) =>
    h(
      'select',
      { 'aria-label': label, onchange: () => changed() },
      options.map(([value, text]) => h('option', { value }, text)),
    )
  const risk = select('Risk', [
    ['', 'Every risk'],
    ...levels.toReversed().map((it) => [it, `${it[0].toUpperCase()}${it.slice(1)}`]),
  ])
  const order = select('Order', [
    ['urgent', 'Most urgent first'],
    ['risk', 'Highest risk first'],
    ['newest', 'Newest first'],
  ])
  const found = h('span', {})
  const clear = button(
    'Show all',
    () => {
      search.value = ''
      risk.value = ''
      changed()
    },
    { class: 'quiet' },
  )
  const result = h('p', { class: 'found', role: 'status' }, found, clear)
  result.hidden = true
  return {
    element: h('div', { class: 'filters', role: 'search' }, search, risk, order, result),
    sortedBy: () => order.value,
    matches: (request) =>
      (risk.value === '' || request.risk === risk.value) && isFound(request, search.value.trim()),
    tell: (shown, all) => {
      result.hidden = search.value.trim() === '' && risk.value === ''
      setText(found, `The filter shows ${shown} of ${all} requests.`)
    },
    focus: () => search.focus(),
  }
}
