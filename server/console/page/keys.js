import { h, setText } from './dom.js'
import { button } from './parts.js'

const help = [
  ['j, k', 'next and previous request or task'],
  ['n', 'next request that is pending'],
  ['a', 'go to Approve; Enter then approves'],
  ['d', 'go to Deny; Enter then denies'],
  ['r', 'go to the reason; Esc leaves it'],
  ['/', 'go to the search'],
  ['?', 'show these keys'],
]

const storage = 'lumoauth-console-keys'

/**
 * Single keys that move the focus and never decide by themselves. They can be switched off, since
 * speech input types letters, too (WCAG 2.1.4).
 */
export const createKeys = (keysOfView, views, go) => {
  const dialog = createHelp(views)
  const hear = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (event.target.closest('input, textarea, select, dialog')) return
    if (event.key !== '?' && localStorage.getItem(storage) === 'off') return
    const view = views[Number(event.key) - 1]
    const act =
      event.key === '?'
        ? dialog.show
        : view
          ? () => go(view)
          : keysOfView()[event.key.toLowerCase()]
    if (act === undefined) return
    event.preventDefault()
    act()
  }
  document.addEventListener('keydown', hear)
  const opener = button('Keys ?', dialog.show, { class: 'quiet keys', 'aria-haspopup': 'dialog' })
  return {
    opener,
    stop: () => {
      document.removeEventListener('keydown', hear)
      dialog.element.remove()
    },
  }
}

const createHelp = (views) => {
  const lines = [...views.map((name, at) => [String(at + 1), `go to ${name}`]), ...help]
  const toggle = button('', () => {
    localStorage.setItem(storage, localStorage.getItem(storage) === 'off' ? 'on' : 'off')
    showToggle()
  })
  const showToggle = () =>
    setText(
      toggle,
      localStorage.getItem(storage) === 'off' ? 'Switch single keys on' : 'Switch single keys off',
    )
  const element = h(
    'dialog',
    { 'aria-labelledby': 'keys-title' },
    h('h2', { id: 'keys-title' }, 'Keys'),
    h(
      'dl',
      { class: 'help' },
      lines.map(([keys, does]) => h('div', {}, h('dt', {}, h('kbd', {}, keys)), h('dd', {}, does))),
    ),
    h(
      'div',
      { class: 'buttons' },
      button('Close', () => element.close(), { class: 'main' }),
      toggle,
    ),
  )
  document.body.append(element)
  const show = () => {
    showToggle()
    if (!element.open) element.showModal()
  }
  return { element, show }
}
