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

/** Every member of a detail, by name, exactly as it was asked for. */
export const exactDetail = (detail) =>
  h(
    'dl',
    { class: 'exact' },
    Object.entries(detail).map(([name, value]) => [
      h('dt', {}, foreign(name)),
      h('dd', {}, exactValue(value)),
    ]),
  )

const exactValue = (value) => {
  if (typeof value === 'string') return h('code', {}, foreign(value))
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
