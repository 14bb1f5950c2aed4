import { h } from '../../../server/console/page/dom.js'

/** A dialog with every misbehaviour of the mock, from which one is switched on for all runs of this tab. */
export const createMisbehaviours = ({ state, tell }) => {
  let known = []
  let routes = new Set()
  const box = h('input', {
    type: 'search',
    placeholder: 'Search: name, endpoint, rule',
    'aria-label': 'Search misbehaviours',
    oninput: () => fill(),
  })
  const list = h('ul', { class: 'misbehaviours' })
  const element = h(
    'dialog',
    { class: 'picker', 'aria-label': 'Misbehaviours' },
    h('h2', {}, 'Switch a misbehaviour on'),
    h(
      'p',
      { class: 'muted' },
      'It is on in every tenant that this tab’s runs make, until you switch it off. A scenario that fails has noticed it; the step that fails is the one that notices.',
    ),
    box,
    list,
    h('form', { method: 'dialog' }, h('button', {}, 'Close')),
  )

  const touches = ({ routes: own, seat }) =>
    own === undefined ? seat !== 'network' : own.some((it) => routes.has(it))

  const fill = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean)
    const text = (it) => [it.name, it.says, it.breaks, ...(it.routes ?? [])].join(' ').toLowerCase()
    const found = known.filter((it) => words.every((word) => text(it).includes(word)))
    const ordered = [...found.filter(touches), ...found.filter((it) => !touches(it))]
    list.replaceChildren(
      ...ordered.map((it) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              type: 'button',
              class: 'choice',
              'aria-pressed': String(state.misbehaviour?.name === it.name),
              onclick: () => {
                state.misbehaviour = it
                element.close()
                tell()
              },
            },
            h('b', {}, it.name),
            h('span', { class: 'tag' }, it.seat === 'api' ? 'API' : it.seat),
            routes.size > 0 && touches(it) && h('span', { class: 'tag near' }, 'on its path'),
            h('span', { class: 'says' }, it.says),
            h('span', { class: 'muted' }, `breaks ${it.breaks}`),
          ),
        ),
      ),
    )
    if (ordered.length === 0) list.append(h('li', { class: 'none' }, 'No misbehaviour fits.'))
  }

  return {
    element,
    set: (all) => {
      known = all
    },
    /** @param item the scenario whose endpoints come first */
    open: (item) => {
      routes = new Set(item?.routes ?? [])
      fill()
      element.showModal()
      box.select()
    },
  }
}
