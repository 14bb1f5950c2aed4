import { coalesced, foreign, h, keyed, setAttribute, setText } from './dom.js'
import { button, inShort, inWords, nothing, riskBadge, showStatus, statusBadge } from './parts.js'
import { createRequestPane } from './request.js'
import { duration, timeOfDay } from './time.js'

/**
 * What waits for a person. New requests are added at the end and decided ones stay where they are
 * until they are tidied away, so that nothing moves under the hand that is about to decide.
 */
export const createInbox = (page) => {
  let requests = []
  let selected
  let loaded = false
  /** Ids that stay in the list although they are decided: somebody may be looking at them. */
  const kept = new Set()
  const told = new Set()

  const list = h('ul', { class: 'requests', 'aria-labelledby': 'waiting' })
  const waiting = h('h2', { id: 'waiting' }, 'Waiting')
  const tidy = button(
    'Tidy up',
    () => {
      kept.clear()
      if (requests.find(({ id }) => id === selected)?.status !== 'pending') page.go('inbox')
      show()
      page.announce('Decided requests are tidied away.')
    },
    { class: 'quiet' },
  )
  const older = h('ul', { class: 'requests', 'aria-label': 'Decided' })
  const history = h('details', { class: 'history' }, h('summary', {}, 'Decided'), older)
  const empty = nothing(
    'Nothing waits for you',
    'When a policy wants a person to decide, the request appears here at once.',
  )
  const pane = createRequestPane(page, { decided: () => refresh() })
  const choose = h('p', { class: 'choose' }, 'Choose a request to see exactly what it is about.')
  const element = h(
    'div',
    { class: 'inbox' },
    h('h1', { class: 'hidden' }, 'Inbox'),
    h(
      'section',
      { class: 'column', 'aria-label': 'Requests' },
      h('div', { class: 'column-head' }, waiting, tidy),
      list,
      empty,
      history,
    ),
    h('section', { class: 'pane', 'aria-label': 'Request' }, choose, pane.element),
  )

  const refresh = coalesced(async () => {
    const inbox = await page.server.get('/inbox')
    page.clock.hear(inbox)
    requests = inbox.requests
    for (const request of requests) if (request.status === 'pending') kept.add(request.id)
    show()
    tell()
    loaded = true
  })

  const show = () => {
    const inList = requests.filter(({ id }) => kept.has(id))
    const pending = requests.filter(({ status }) => status === 'pending')
    const decided = requests.filter(({ id }) => !kept.has(id)).reverse()
    keyed(list, inList, ({ id }) => id, row, updateRow)
    keyed(older, decided, ({ id }) => id, row, updateRow)
    setText(waiting, `Waiting (${pending.length})`)
    empty.hidden = inList.length > 0
    tidy.hidden = inList.length === pending.length
    history.hidden = decided.length === 0
    setText(history.firstElementChild, `Decided (${decided.length})`)
    const request = requests.find(({ id }) => id === selected)
    element.classList.toggle('has-selection', request !== undefined)
    choose.hidden = request !== undefined || requests.length === 0
    pane.show(request)
    page.count(pending.length)
    tick()
  }

  const tell = () => {
    for (const request of requests.filter(({ status }) => status === 'pending')) {
      if (told.has(request.id)) continue
      told.add(request.id)
      if (loaded) {
        page.announce(
          `New request, ${request.risk} risk: ${request.agent.name} wants ${inWords(request.detail)}.`,
        )
      }
    }
  }

  const row = ({ id, risk, agent, detail, on_behalf_of: user }) =>
    h(
      'li',
      {},
      h(
        'a',
        { href: `#/inbox/${encodeURIComponent(id)}`, class: `row ${risk}` },
        h('span', { class: 'row-top' }, riskBadge(risk), h('span', { class: 'left' })),
        h('span', { class: 'row-what' }, inShort(detail)),
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

  /** Only texts change with time, never a size. */
  const tick = () => {
    const now = page.clock.now()
    let over = false
    for (const child of list.children) {
      const request = requests.find(({ id }) => id === child.dataset.key)
      if (request?.status !== 'pending') continue
      const seconds = request.expires_at - now
      over ||= seconds <= 0
      const left = child.querySelector('.left')
      setText(left, duration(seconds))
      left.classList.toggle('soon', seconds < 60)
      setAttribute(left, 'title', `to decide until ${timeOfDay(request.expires_at)} UTC`)
    }
    pane.tick(now)
    if (over) refresh()
  }

  const step = (by) => {
    const links = [...list.querySelectorAll('a.row')]
    if (links.length === 0) return
    const focused = links.indexOf(document.activeElement)
    const current = links.findIndex((link) => link.getAttribute('aria-current') === 'true')
    const at = focused < 0 ? current : focused
    const next = links[Math.min(links.length - 1, Math.max(0, at + by))]
    next.focus()
    next.click()
  }

  return {
    element,
    refresh,
    tick,
    open: (id) => {
      selected = id
      show()
    },
    concerns: ({ type }) => /^(permission|task|tenant)\./.test(type),
    keys: {
      j: () => step(1),
      k: () => step(-1),
      a: () => pane.focusApprove(),
      d: () => pane.focusDeny(),
      r: () => pane.focusReason(),
    },
  }
}
