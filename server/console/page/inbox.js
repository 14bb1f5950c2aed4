import { coalesced, foreign, h, keyed, setAttribute, setText } from './dom.js'
import {
  amount,
  button,
  inShort,
  inWords,
  nothing,
  riskBadge,
  showStatus,
  statusBadge,
} from './parts.js'
import { createRequestPane } from './request.js'
import { duration, timeOfDay } from './time.js'
import { createFilters, orderOf, urgentFirst } from './urgency.js'

/**
 * All pending requests, the most urgent first, and the newest decided ones. A decided request keeps its
 * place until it is hidden. No row moves while a pointer or the focus is in the list.
 */
export const createInbox = (page) => {
  let requests = new Map()
  let selected
  let loaded = false
  /** Whether the first requests are loaded. Only later ones are announced. */
  let begun = false
  /** Ids of decided requests that stay in the list. */
  const kept = new Set()
  const told = new Set()
  /** Ids in the order in which the list shows them. */
  let order = []

  const list = h('ul', { class: 'requests', 'aria-labelledby': 'waiting' })
  const waiting = h('h2', { id: 'waiting' }, 'Pending')
  const hide = button(
    'Hide decided',
    () => {
      kept.clear()
      if (requests.get(selected)?.status !== 'pending') page.go('inbox')
      arrange()
      show()
      page.announce('Decided requests are hidden.')
    },
    { class: 'quiet' },
  )
  const filters = createFilters(() => {
    arrange()
    show()
  })
  const older = h('ul', { class: 'requests', 'aria-label': 'Decided' })
  const history = h('details', { class: 'history' }, h('summary', {}, 'Decided'), older)
  const empty = nothing(
    'No pending requests',
    'A request appears here as soon as a policy asks a person to decide it.',
  )
  const pane = createRequestPane(page, { decided: () => refresh(), next: () => openNext() })
  const choose = h('p', { class: 'choose' }, 'Choose a request to see what it would permit.')
  const scroll = h('div', { class: 'list-scroll' }, list, empty, history)
  const element = h(
    'div',
    { class: 'inbox' },
    h('h1', { class: 'hidden' }, 'Inbox'),
    h(
      'section',
      { class: 'column', 'aria-label': 'Requests' },
      h('div', { class: 'column-head' }, waiting, hide),
      filters.element,
      scroll,
    ),
    h('section', { class: 'pane', 'aria-label': 'Request' }, choose, pane.element),
  )
  empty.hidden = true
  scroll.addEventListener('pointerleave', () => show())
  scroll.addEventListener('focusout', ({ relatedTarget }) => {
    if (!scroll.contains(relatedTarget)) show()
  })

  const refresh = coalesced(async () => {
    const inbox = await readInbox(page.server)
    page.clock.hear(inbox)
    requests = new Map(inbox.requests.map((it) => [it.id, it]))
    for (const { id, status } of requests.values()) if (status === 'pending') kept.add(id)
    loaded = true
    show()
    tell()
  })

  /** Sorts the list again. */
  const arrange = () => {
    const listed = [...requests.values()].filter(({ id }) => kept.has(id))
    const isOver = ({ id, status }) => (status === 'pending' || id === selected ? 0 : 1)
    const compare = orderOf(filters.sortedBy())
    order = listed.sort((a, b) => isOver(a) - isOver(b) || compare(a, b)).map(({ id }) => id)
  }

  /** Appends new requests while the list is in use, so that no row moves under the pointer. */
  const keepOrder = () => {
    const inUse = scroll.matches(':hover') || scroll.contains(document.activeElement)
    if (!inUse) return arrange()
    const known = new Set(order)
    const news = [...requests.values()].filter(({ id }) => kept.has(id) && !known.has(id))
    order = [...order, ...news.sort(urgentFirst).map(({ id }) => id)]
  }

  const show = () => {
    if (!loaded) return
    keepOrder()
    const all = [...requests.values()]
    const pending = all.filter(({ status }) => status === 'pending')
    const listed = order.flatMap((id) => (kept.has(id) ? (requests.get(id) ?? []) : []))
    const decided = all.filter(({ id }) => !kept.has(id)).reverse()
    const found = listed.filter(filters.matches)
    const foundDecided = decided.filter(filters.matches)
    keyed(list, found, ({ id }) => id, row, updateRow)
    keyed(older, foundDecided, ({ id }) => id, row, updateRow)
    setText(waiting, `Pending (${pending.length})`)
    filters.tell(found.length + foundDecided.length, listed.length + decided.length)
    empty.hidden = listed.length > 0
    filters.element.hidden = all.length === 0
    hide.hidden = listed.length === pending.length
    history.hidden = foundDecided.length === 0
    setText(history.firstElementChild, `Decided (${foundDecided.length})`)
    const request = requests.get(selected)
    element.classList.toggle('has-selection', request !== undefined)
    choose.hidden = request !== undefined || requests.size === 0
    pane.show(request)
    page.count(pending.length)
    tick()
  }

  const tell = () => {
    for (const request of requests.values()) {
      if (request.status !== 'pending' || told.has(request.id)) continue
      told.add(request.id)
      if (begun) {
        page.announce(
          `New request, ${request.risk} risk: ${request.agent.name} wants ${inWords(request.detail)}.`,
        )
      }
    }
    begun = true
  }

  const row = ({ id, risk, agent, detail, on_behalf_of: user }) =>
    h(
      'li',
      {},
      h(
        'a',
        { href: `#/inbox/${encodeURIComponent(id)}`, class: `row ${risk}` },
        h('span', { class: 'row-top' }, riskBadge(risk), h('span', { class: 'left' })),
        h(
          'span',
          { class: 'row-what' },
          h('span', { class: 'cut' }, inShort(detail)),
          amount(detail),
        ),
        h(
          'span',
          { class: 'row-who' },
          foreign(agent.name),
          user ? [' for ', foreign(user.name)] : null,
        ),
      ),
    )

  const updateRow = (element, request) => {
    const link = element.firstElementChild
    setAttribute(link, 'aria-current', request.id === selected ? 'true' : null)
    link.classList.toggle('over', request.status !== 'pending')
    const left = link.querySelector('.left')
    if (request.status === 'pending') return
    if (left.dataset.status !== request.status) {
      left.dataset.status = request.status
      left.replaceChildren(statusBadge(request.status))
    }
    showStatus(left.firstElementChild, request.status)
  }

  /** Updates texts only, never a size. */
  const tick = () => {
    const now = page.clock.now()
    let over = false
    for (const child of list.children) {
      const request = requests.get(child.dataset.key)
      if (request?.status !== 'pending') continue
      const seconds = request.expires_at - now
      over ||= seconds <= 0
      const left = child.querySelector('.left')
      setText(left, duration(seconds))
      left.classList.toggle('soon', seconds < 60)
      setAttribute(left, 'title', `can be decided until ${timeOfDay(request.expires_at)} UTC`)
    }
    pane.tick(now)
    if (over) refresh().catch(() => {})
  }

  const rows = () => [...list.querySelectorAll('a.row')]

  const step = (by) => {
    const links = rows()
    if (links.length === 0) return
    const focused = links.indexOf(document.activeElement)
    const current = links.findIndex((link) => link.getAttribute('aria-current') === 'true')
    const at = focused < 0 ? current : focused
    enter(links[Math.min(links.length - 1, Math.max(0, at + by))])
  }

  const enter = (link) => {
    link.focus()
    link.click()
  }

  /** The next pending request after the selected one; after the last, the first. */
  const openNext = () => {
    const links = rows()
    const at = links.findIndex((link) => link.getAttribute('aria-current') === 'true')
    const next = [...links.slice(at + 1), ...links.slice(0, Math.max(0, at))].find(
      (link) => !link.classList.contains('over'),
    )
    if (next) enter(next)
    else page.announce('No other request is pending.')
  }

  return {
    element,
    refresh,
    tick,
    open: (id) => {
      selected = id
      show()
    },
    lock: () => pane.show(requests.get(selected)),
    concerns: ({ type }) => /^(permission|task|tenant)\./.test(type),
    keys: {
      j: () => step(1),
      k: () => step(-1),
      n: () => openNext(),
      a: () => pane.focusApprove(),
      d: () => pane.focusDeny(),
      r: () => pane.focusReason(),
      '/': () => filters.focus(),
    },
  }
}

/** Loads all pending requests and the newest decided ones. A page has at most 100. */
const readInbox = async (server) => {
  for (let attempt = 1; ; attempt += 1) {
    const first = await server.get('/inbox')
    const { limit, total } = first.pagination
    const wanted = Math.min(Math.ceil(total / limit), Math.floor(first.waiting / limit) + 1)
    const others = []
    for (let at = 2; at <= wanted; at += 1) others.push(await server.get(`/inbox?page=${at}`))
    // A decision between two loads shifts the next page, which could then miss a request.
    const isSteady = others.every((it) => it.waiting === first.waiting)
    if (!isSteady && attempt < 3) continue
    return { ...first, requests: [...first.requests, ...others.flatMap((it) => it.requests)] }
  }
}
