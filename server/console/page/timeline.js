import { foreign, h } from './dom.js'
import { createLineage } from './lineage.js'
import { moment, nothing, person, showStatus, statusBadge } from './parts.js'
import { createSequence } from './sequence.js'
import { duration } from './time.js'

/** One task: who, how it went, which token came from which, and the diagram of what was said. */
export const createTimeline = (page) => {
  let taskId
  const title = h('h1')
  const status = statusBadge('active')
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
    h('header', { class: 'timeline-head' }, h('div', {}, title, status), facts),
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

  return {
    element,
    open: (id) => {
      element.hidden = id === undefined
      if (id !== taskId) content.hidden = true
      taskId = id
    },
    refresh: async () => {
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
    },
  }
}

const fact = (name, value) => [h('div', {}, h('dt', {}, name), h('dd', {}, value))]

const taskLink = (id) =>
  h('a', { href: `#/tasks/${encodeURIComponent(id)}` }, h('code', {}, foreign(id)))
