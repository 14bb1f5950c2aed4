import { foreign, h, setAttribute, setText, svg } from './dom.js'
import { dateAndTime, timeOfDay } from './time.js'

const levels = ['low', 'medium', 'high', 'critical']

/** A risk level, in words and in bars, so that colour is never all that tells. */
export const riskBadge = (risk) =>
  h(
    'span',
    { class: `badge risk ${risk}` },
    svg(
      'svg',
      { viewBox: '0 0 18 12', width: 18, height: 12, 'aria-hidden': 'true' },
      levels.map((_, at) =>
        svg('rect', {
          x: at * 4.75,
          y: 9 - at * 3,
          width: 3.25,
          height: 3 + at * 3,
          rx: 1,
          class: at <= levels.indexOf(risk) ? 'on' : 'off',
        }),
      ),
    ),
    h('span', {}, `${risk} risk`),
  )

export const statusBadge = (status) => h('span', { class: `badge status ${status}` }, status)

export const showStatus = (badge, status) => {
  setAttribute(badge, 'class', `badge status ${status}`)
  setText(badge, status)
}

/** A person: the name, and the address that tells two of a name apart. */
export const person = ({ name, email }) => [
  h('span', { class: 'name' }, foreign(name)),
  email && email !== name ? [' ', h('span', { class: 'address' }, foreign(email))] : null,
]

export const moment = (epoch) =>
  h(
    'time',
    { datetime: new Date(epoch * 1000).toISOString(), title: dateAndTime(epoch) },
    timeOfDay(epoch),
  )

/** `read file_access doc_9982`: what a detail is about, on one line. */
export const inShort = ({ actions = [], type, identifier }) => [
  actions.length > 0 ? [h('b', { class: 'act' }, foreign(actions.join(', '))), ' '] : null,
  foreign(type),
  identifier === undefined ? null : [' ', h('code', {}, foreign(identifier))],
]

/** The same for titles and announcements, which are text alone. */
export const inWords = ({ actions = [], type, identifier = '' }) =>
  [actions.join(', '), type, identifier].filter((it) => it !== '').join(' ')

/** The sum of money in a detail, as `{currency, value}` or RFC 9396's `{currency, amount}`. */
export const amount = (detail) => {
  const sums = Object.entries(detail).filter(([, value]) => isMoney(value))
  const [, sum] = sums.find(([name]) => /amount/i.test(name)) ?? sums[0] ?? []
  if (sum === undefined) return null
  return h(
    'b',
    { class: 'amount' },
    money(sum),
    sums.length > 1 ? `, and ${sums.length - 1} more` : null,
  )
}

const isMoney = (value) =>
  typeof value?.currency === 'string' && ['string', 'number'].includes(typeof sumOf(value))

/** Undefined where an object has both names: it is shown as JSON, not guessed. */
const sumOf = ({ value, amount: sum }) =>
  sum === undefined ? value : value === undefined ? sum : undefined

/** The figures exactly as they were written: a thousands separator of ours could mislead. */
const money = (value) => [foreign(String(sumOf(value))), ' ', foreign(value.currency)]

/** What says most about a permission comes first, whatever order the agent wrote. */
const first = ['actions', 'type', 'identifier', 'locations', 'datatypes', 'privileges']

const rank = ([name, value]) => {
  const at = first.indexOf(name)
  if (at >= 0 && at < 3) return at
  if (isMoney(value)) return 3
  return at < 0 ? first.length + 1 : at + 1
}

/**
 * Every member of a detail, by name, exactly as it was asked for. Each value has a box of limited
 * height, so that a long one cannot push the others out of sight; a button shows the rest of it.
 *
 * @param instead elements to show for single members, by name
 */
export const exactDetail = (detail, instead = {}) => {
  const values = Object.entries(detail).sort((a, b) => rank(a) - rank(b))
  return h(
    'dl',
    { class: 'exact' },
    values.map(([name, value]) => {
      const box = h('div', { class: 'value' }, instead[name] ?? exactValue(value))
      const whole = button(
        Array.isArray(value) ? `Show all ${value.length}` : 'Show the whole value',
        () => {
          box.classList.add('whole')
          whole.hidden = true
        },
        { class: 'show-whole', 'aria-label': `Show all of ${name.slice(0, 80)}` },
      )
      whole.hidden = true
      return [h('dt', {}, foreign(name)), h('dd', {}, box, whole)]
    }),
  )
}

/** Offers the rest of each value that is longer than its box. */
export const markLongValues = (list) => {
  for (const box of list.querySelectorAll('.value:not(.whole)')) {
    box.nextElementSibling.hidden = box.scrollHeight - box.clientHeight < 2
  }
}

const exactValue = (value) => {
  if (typeof value === 'string') return h('code', {}, foreign(value))
  if (isMoney(value) && Object.keys(value).length === 2) {
    return h('b', { class: 'amount' }, money(value))
  }
  if (Array.isArray(value) && value.every((it) => typeof it === 'string')) {
    return h(
      'ul',
      { class: 'chips' },
      value.map((it) => h('li', {}, h('code', {}, foreign(it)))),
    )
  }
  return json(value)
}

/** Any value as indented JSON. */
export const json = (value, label = 'JSON') => block(JSON.stringify(value, null, 2), label)

/** A longer text, never longer than its box; the box can be scrolled by keys. */
export const block = (text, label) =>
  h(
    'pre',
    { class: 'json', tabindex: 0, role: 'group', 'aria-label': label },
    foreign(text, { lines: true }),
  )

export const button = (label, act, props = {}) =>
  h('button', { type: 'button', onclick: act, ...props }, label)

export const nothing = (title, ...text) =>
  h('div', { class: 'nothing' }, h('h2', {}, title), h('p', {}, ...text))
