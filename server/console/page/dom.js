import { segmentsOf } from './visible.js'

/**
 * An element, made without a line of markup. Members of `props` that begin with `on` listen, and
 * `class` and attributes are set; null and false are left out.
 */
export const h = (tag, props = {}, ...children) =>
  filled(document.createElement(tag), props, children)

export const svg = (tag, props = {}, ...children) =>
  filled(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children)

const filled = (element, props, children) => {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(
    ...children
      .flat(Number.POSITIVE_INFINITY)
      .filter((it) => it !== null && it !== undefined && it !== false),
  )
  return element
}

/** Foreign text: shown as text only, isolated in its own direction, with hidden characters visible. */
export const foreign = (text, options) =>
  h(
    'bdi',
    {},
    segmentsOf(text ?? '', options).map((it) =>
      it.code === undefined
        ? it.text
        : h('span', { class: 'unseen', title: 'a character that would not be seen' }, it.code),
    ),
  )

/** Sets the text of a node, and only where it changed: screen readers hear less, nothing flickers. */
export const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text
}

export const setAttribute = (element, name, value) => {
  if (value === null || value === undefined || value === false) element.removeAttribute(name)
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value))
}

/**
 * Makes the children of a list those of `items`, keeping the elements that stay where they are, and
 * with them focus, selection and what was typed.
 *
 * @param keyOf item → key; `make` item → element; `update` (element, item)
 */
export const keyed = (list, items, keyOf, make, update = () => {}) => {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]))
  let place = list.firstElementChild
  for (const item of items) {
    const key = String(keyOf(item))
    let child = before.get(key)
    before.delete(key)
    if (child === undefined) {
      child = make(item)
      child.dataset.key = key
    }
    update(child, item)
    if (child === place) place = place.nextElementSibling
    else list.insertBefore(child, place)
  }
  for (const child of before.values()) child.remove()
}

/** How soon, in milliseconds, a task may run again: a busy tenant must not keep a page busy. */
const breath = 200

/** Runs a task now, or once more after the run under way; never twice at a time. */
export const coalesced = (task) => {
  let running
  let again = false
  const run = async () => {
    try {
      await task()
      while (again) {
        await new Promise((resolve) => setTimeout(resolve, breath))
        again = false
        await task()
      }
    } finally {
      running = undefined
    }
  }
  return () => {
    if (running) again = true
    else running = run()
    return running
  }
}
