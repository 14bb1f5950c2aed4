import { h } from '../../../server/console/page/dom.js'

/** The words of the tour beside one of its scenarios, and the way to the next. */
export const createTour = (items) => {
  const element = h('section', { class: 'tour', 'aria-label': 'Tour', hidden: true })
  const show = (id, text) => {
    element.hidden = text === null
    if (text === null) return
    const all = [...items.values()].filter((it) => it.theme === 'learn')
    const at = all.findIndex((it) => it.id === id)
    const link = (label, to, more = {}) =>
      to && h('a', { class: 'button', href: `#/s/${to.id}`, ...more }, label)
    element.replaceChildren(
      h('p', { class: 'tour-place' }, `Learn · ${at + 1} of ${all.length}`),
      ...text.says.map((it) => h('p', {}, it)),
      h(
        'div',
        { class: 'try', hidden: text.try.length === 0 },
        h('b', {}, 'Try it'),
        h(
          'ul',
          {},
          text.try.map((it) => h('li', {}, it)),
        ),
      ),
      h(
        'nav',
        { class: 'buttons', 'aria-label': 'Tour' },
        link('‹ Back', all[at - 1]),
        link('Continue ›', all[at + 1]),
      ),
    )
  }
  return { element, show }
}
