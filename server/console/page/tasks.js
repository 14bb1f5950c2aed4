import { coalesced, foreign, h, keyed, setText } from './dom.js'
import { button, moment, nothing, person, showStatus, statusBadge } from './parts.js'
import { createTimeline } from './timeline.js'

/** The tasks of a tenant, newest first, and the timeline of one. */
export const createTasks = (page) => {
  let chosen
  let known = new Set()
  let shownIds = []
  const body = h('tbody')
  const table = h(
    'table',
    { class: 'tasks' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Task', 'Status', 'Agent', 'On behalf of', 'Requests', 'Risk score', 'Opened'].map((it) =>
          h('th', { scope: 'col' }, it),
        ),
      ),
    ),
    body,
  )
  const none = nothing('No tasks yet', 'A task appears here when an agent opens one.')
  const more = button(
    '',
    () => {
      known = new Set(all.map(({ id }) => id))
      show()
      body.querySelector('a')?.focus()
    },
    { class: 'more' },
  )
  const list = h(
    'section',
    { class: 'task-list', 'aria-label': 'Tasks' },
    h('div', { class: 'column-head' }, h('h1', {}, 'Tasks'), more),
    none,
    h('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': 'All tasks' }, table),
  )
  none.hidden = true
  more.hidden = true
  table.parentElement.hidden = true
  const timeline = createTimeline(page)
  const element = h('div', {}, list, timeline.element)
  let all = []

  /** New tasks wait behind a button: rows that push others down would be clicked by mistake. */
  const show = () => {
    const tasks = all.filter(({ id }) => known.has(id))
    shownIds = tasks.map(({ id }) => id)
    const fresh = all.length - tasks.length
    more.hidden = fresh === 0
    setText(more, `Show ${fresh} new`)
    none.hidden = all.length > 0
    table.parentElement.hidden = all.length === 0
    keyed(body, tasks, ({ id }) => id, row, update)
  }

  const row = (task) =>
    h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        h('a', { href: `#/tasks/${encodeURIComponent(task.id)}` }, foreign(task.name ?? task.id)),
      ),
      h('td', {}, statusBadge(task.status)),
      h('td', {}, foreign(task.agent.name)),
      h(
        'td',
        {},
        task.on_behalf_of ? person(task.on_behalf_of) : h('span', { class: 'muted' }, 'itself'),
      ),
      h('td', { class: 'number' }),
      h('td', { class: 'number' }),
      h('td', {}, moment(task.opened_at)),
    )

  const update = (element, task) => {
    showStatus(element.cells[1].firstElementChild, task.status)
    setText(
      element.cells[4],
      task.waiting > 0 ? `${task.requests}, ${task.waiting} waiting` : String(task.requests),
    )
    setText(element.cells[5], String(task.score))
  }

  const step = (by) => {
    const links = [...body.querySelectorAll('a')]
    const at = links.indexOf(document.activeElement)
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus()
  }

  return {
    element,
    open: (id) => {
      chosen = id
      list.hidden = id !== undefined
      timeline.open(id)
      if (id === undefined) known = new Set(all.map((it) => it.id))
    },
    concerns: ({ type }) => /^(task|permission|token|tenant)\./.test(type),
    watchesPulse: true,
    tick: () => {},
    keys: { j: () => step(1), k: () => step(-1) },
    refresh: coalesced(async () => {
      if (chosen !== undefined) return timeline.refresh()
      const { tasks } = await page.server.get('/tasks')
      if (known.size === 0 || shownIds.length === 0) known = new Set(tasks.map(({ id }) => id))
      all = tasks
      show()
    }),
  }
}
