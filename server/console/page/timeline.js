import { foreign, h, setText } from './dom.js'
import { createLineage } from './lineage.js'
import { button, moment, nothing, person, showStatus, statusBadge } from './parts.js'
import { createSequence } from './sequence.js'
import { duration } from './time.js'

/** One task: who, how it went, which token came from which, and the diagram of what was said. */
export const createTimeline = (page) => {
  let taskId
  const title = h('h1')
  const status = statusBadge('active')
  const problem = h('p', { class: 'problem', role: 'alert' })
  const confirming = h(
    'span',
    { class: 'confirm' },
    'This suspends the task and revokes its tokens. ',
    button('End the task', () => end(), { class: 'deny' }),
    button('Cancel', () => {
      confirming.hidden = true
      ask.hidden = false
      ask.focus()
    }),
  )
  const ask = button('End task…', () => {
    ask.hidden = true
    confirming.hidden = false
    confirming.querySelector('button').focus()
  })
  const end = async () => {
    setText(problem, '')
    try {
      await page.server.post(`/tasks/${encodeURIComponent(taskId)}/end`)
      page.announce('The task is suspended.')
    } catch (refused) {
      page.lost(refused)
      setText(problem, refused.message)
    }
    await refresh()
  }
  const facts = h('dl', { class: 'facts wide' })
  const lineage = createLineage({ open: (seq) => sequence.open(seq) })
  const sequence = createSequence()
  const none = nothing(
    'No such task',
    'It is unknown, or has been forgotten an hour after its end.',
  )
  none.hidden = true
  const content = h(
    'div',
    { class: 'timeline' },
    h(
      'header',
      { class: 'timeline-head' },
      h('div', {}, title, status, ask, confirming),
      problem,
      facts,
    ),
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'lineage' },
      h('h2', { id: 'lineage' }, 'Tokens'),
      lineage.element,
    ),
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'sequence' },
      h('h2', { id: 'sequence' }, 'Sequence'),
      h('p', { class: 'muted' }, 'Open a step to read the exchange and its tokens, decoded.'),
      sequence.element,
    ),
  )
  const element = h(
    'div',
    { class: 'timeline-view' },
    h('a', { class: 'back always', href: '#/tasks' }, '← All tasks'),
    none,
    content,
  )
  element.hidden = true

  const show = (timeline) => {
    const { task, parent, children } = timeline
    if (title.dataset.id !== task.id) {
      title.dataset.id = task.id
      title.replaceChildren(foreign(task.name ?? task.id))
    }
    showStatus(status, task.status)
    const isActive = task.status === 'active' && page.session.user !== null
    if (!isActive || confirming.hidden) {
      ask.hidden = !isActive
      confirming.hidden = true
    }
    const key = JSON.stringify([task, parent, children])
    if (facts.dataset.key !== key) {
      facts.dataset.key = key
      facts.replaceChildren(
        ...fact('Task', h('code', {}, foreign(task.id))),
        ...fact('Agent', foreign(task.agent.name)),
        ...fact('On behalf of', task.on_behalf_of ? person(task.on_behalf_of) : 'itself'),
        ...fact('Opened', moment(task.opened_at)),
        ...(task.ended_at === null
          ? fact('Ends at the latest', moment(task.expires_at))
          : fact('Ended', [
              moment(task.ended_at),
              ` after ${duration(task.ended_at - task.opened_at)}`,
            ])),
        ...fact('Risk score', `${task.score}${task.denials > 0 ? `, ${task.denials} denied` : ''}`),
        ...(task.reason ? fact('Why', foreign(task.reason)) : []),
        ...(parent ? fact('Part of', taskLink(parent)) : []),
        ...(children.length > 0 ? fact('Parts', children.map(taskLink)) : []),
      )
    }
    lineage.show(timeline)
    sequence.show(timeline)
  }

  const refresh = async () => {
    const asked = taskId
    try {
      const timeline = await page.server.get(`/tasks/${encodeURIComponent(asked)}`)
      if (asked !== taskId) return
      page.clock.hear(timeline)
      show(timeline)
      content.hidden = false
      none.hidden = true
    } catch (refused) {
      if (refused.status !== 404) throw refused
      content.hidden = true
      none.hidden = false
    }
  }
  confirming.hidden = true

  return {
    element,
    open: (id) => {
      element.hidden = id === undefined
      if (id !== taskId) {
        content.hidden = true
        confirming.hidden = true
        setText(problem, '')
      }
      taskId = id
    },
    refresh,
  }
}

const fact = (name, value) => [h('div', {}, h('dt', {}, name), h('dd', {}, value))]

const taskLink = (id) =>
  h('a', { href: `#/tasks/${encodeURIComponent(id)}` }, h('code', {}, foreign(id)))
