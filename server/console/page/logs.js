import { coalesced, foreign, h, setText } from './dom.js'
import { exchangeDetail } from './exchange.js'
import { json, moment, nothing } from './parts.js'
import { sentence } from './words.js'

/** The newest lines a view keeps; the server keeps more. */
const shownLines = 500

/** The append-only list of what happened, newest at the end, as a terminal shows a log. */
export const createJournal = (page) =>
  createLog(page, {
    title: 'Journal',
    path: '/journal',
    itemsOf: ({ entries }) => entries,
    textOf: (entry) => JSON.stringify(entry),
    empty: 'Nothing has happened yet.',
    hint: 'Filter, such as permission. or task_4f1c',
    concerns: () => true,
    summary: (entry) => [
      h('span', { class: 'log-type' }, entry.type),
      h('span', { class: 'log-text' }, sentence(entry)),
    ],
    detail: (entry) => json(entry, `Entry ${entry.seq}`),
  })

/** Every recorded request and its answer, secrets masked and tokens decoded. */
export const createExchanges = (page) =>
  createLog(page, {
    title: 'Exchanges',
    path: '/exchanges',
    itemsOf: ({ exchanges }) => exchanges,
    textOf: ({ request, answer, route }) =>
      `${request.method} ${request.path} ${answer.status} ${route}`,
    empty: 'No agent has called yet.',
    hint: 'Filter, such as POST, 403 or jit.request',
    concerns: () => false,
    watchesPulse: true,
    summary: ({ request, answer, seat, violations }) => [
      h('span', { class: `log-status s${String(answer.status)[0]}` }, String(answer.status)),
      h('span', { class: 'log-seat' }, seat),
      h(
        'span',
        { class: 'log-text' },
        h('b', {}, foreign(request.method)),
        ' ',
        foreign(request.path),
      ),
      violations.length > 0
        ? h('span', { class: 'badge status denied' }, 'breaks the contract')
        : null,
    ],
    detail: exchangeDetail,
  })

const createLog = (
  page,
  { title, path, itemsOf, textOf, empty, hint, concerns, watchesPulse, summary, detail },
) => {
  let next = 0
  let items = []
  const list = h('ol', { class: 'log' })
  const box = h('div', { class: 'log-box', tabindex: 0, role: 'region', 'aria-label': title }, list)
  const none = nothing(empty, 'What happens appears here by itself.')
  const filter = h('input', {
    type: 'search',
    placeholder: hint,
    'aria-label': `Filter: ${title}`,
    spellcheck: 'false',
  })
  const many = h('span', { class: 'muted many' })
  const element = h(
    'div',
    { class: 'log-view' },
    h('div', { class: 'column-head' }, h('h1', {}, title), filter, many),
    none,
    box,
  )

  const line = (item) => {
    const body = h('div', { class: 'log-detail' })
    const row = h(
      'details',
      {
        ontoggle: () => {
          if (row.open && body.childElementCount === 0) body.append(detail(item))
          if (row.open) row.scrollIntoView({ block: 'nearest' })
        },
      },
      h(
        'summary',
        {},
        h('span', { class: 'log-seq' }, String(item.seq)),
        moment(item.at),
        summary(item),
      ),
      body,
    )
    return h('li', { 'data-seq': item.seq }, row)
  }

  const matches = (item) => textOf(item).toLowerCase().includes(filter.value.trim().toLowerCase())

  const add = (news) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40
    const fitting = news.filter(matches)
    list.append(...fitting.map(line))
    while (list.childElementCount > shownLines) list.firstElementChild.remove()
    none.hidden = items.length > 0
    box.hidden = items.length === 0
    setText(many, `${list.childElementCount} of ${items.length}`)
    if (atEnd) box.scrollTop = box.scrollHeight
  }

  filter.addEventListener('input', () => {
    list.replaceChildren()
    add(items)
  })

  const begin = () => {
    next = 0
    items = []
    list.replaceChildren()
  }

  return {
    element,
    begin,
    open: () => {},
    concerns,
    watchesPulse,
    keys: {},
    refresh: coalesced(async () => {
      for (;;) {
        const answer = await page.server.get(`${path}?after=${next}`)
        if (answer.next < next) return begin()
        const news = itemsOf(answer).filter(({ seq }) => seq > next)
        next = answer.next
        items = [...items, ...news].slice(-10_000)
        add(news.slice(-shownLines))
        if (!answer.more) return
      }
    }),
  }
}
