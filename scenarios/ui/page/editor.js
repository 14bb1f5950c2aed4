import { h } from '../../../server/console/page/dom.js'
import { paintLine } from './highlight.js'

/** Milliseconds after the last key until a text is checked. */
const rest = 150

/** A text of YAML with line numbers, mistakes at their place, and completion at the caret. */
export const createEditor = ({ check, complete, onInput, onRun, onSave }) => {
  const input = h('textarea', {
    spellcheck: 'false',
    autocapitalize: 'none',
    autocomplete: 'off',
    wrap: 'off',
    'aria-label': 'Scenario as YAML',
    'aria-describedby': 'mistakes',
    oninput: () => {
      paint()
      later()
      onInput(input.value)
      suggest(false)
    },
    onscroll: () => follow(),
    onkeydown: (event) => onKey(event),
    onblur: () => setTimeout(() => close(), 150),
    onclick: () => close(),
  })
  const gutter = h('div', { class: 'gutter', 'aria-hidden': 'true' })
  const painted = h('pre', { class: 'painted', 'aria-hidden': 'true' })
  const popup = h('ul', { class: 'completions', role: 'listbox', hidden: true })
  const mistakes = h('ul', { class: 'mistakes', id: 'mistakes', 'aria-label': 'Mistakes' })
  const element = h(
    'div',
    { class: 'editor' },
    h('div', { class: 'text' }, gutter, h('div', { class: 'sheet' }, painted, input, popup)),
    mistakes,
  )
  let problems = []
  let lineNow
  let lineFailed
  let timer
  let asked = 0
  let options = []
  let at = 0

  const follow = () => {
    painted.scrollTop = input.scrollTop
    painted.scrollLeft = input.scrollLeft
    gutter.scrollTop = input.scrollTop
  }

  const paint = () => {
    const lines = input.value.split('\n')
    const marked = new Map(problems.map((it) => [it.line, it.severity]))
    const classOf = (number) =>
      [marked.get(number), number === lineNow ? 'now' : '', number === lineFailed ? 'failing' : '']
        .filter(Boolean)
        .join(' ')
    painted.replaceChildren(
      ...lines.map((line, index) =>
        h('span', { class: `line ${classOf(index + 1)}` }, paintLine(line), '\n'),
      ),
    )
    gutter.replaceChildren(
      ...lines.map((_, index) => h('span', { class: classOf(index + 1) }, String(index + 1))),
    )
    follow()
  }

  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(checkNow, rest)
  }
  const checkNow = async () => {
    const text = input.value
    const found = await check(text).catch(() => undefined)
    if (found !== undefined && text === input.value) showProblems(found)
  }
  const showProblems = (found) => {
    problems = found
    mistakes.replaceChildren(
      ...found.map(({ line, column, message, severity }) =>
        h(
          'li',
          { class: severity },
          h(
            'button',
            { type: 'button', onclick: () => goTo(line, column) },
            h('b', {}, `${line}:${column}`),
            ' ',
            severity === 'warning' && 'warning: ',
            message,
          ),
        ),
      ),
    )
    paint()
  }
  const goTo = (line, column) => {
    const before = input.value.split('\n').slice(0, line - 1)
    const offset = before.reduce((sum, it) => sum + it.length + 1, 0) + column - 1
    input.focus()
    input.setSelectionRange(offset, offset)
    reveal(line)
  }
  const reveal = (line) => {
    const height = painted.firstElementChild?.getBoundingClientRect().height ?? 20
    const top = (line - 1) * height
    if (top < input.scrollTop || top > input.scrollTop + input.clientHeight - height * 2) {
      input.scrollTop = Math.max(0, top - input.clientHeight / 3)
    }
    follow()
  }

  /** Replaces a part of the text, so that undo works. */
  const replace = (from, to, text) => {
    input.focus()
    input.setSelectionRange(from, to)
    // The only way to change a text area that its undo knows.
    if (!document.execCommand('insertText', false, text)) {
      input.setRangeText(text, from, to, 'end')
      input.dispatchEvent(new Event('input'))
    }
  }

  const suggest = async (isWanted) => {
    const caret = input.selectionStart
    const typed = /[\w-]*$/.exec(input.value.slice(Math.max(0, caret - 100), caret))[0]
    if (!isWanted && typed.length < 2) return close()
    asked += 1
    const mine = asked
    const found = await complete(input.value, caret).catch(() => undefined)
    if (mine !== asked || input.selectionStart !== caret) return
    const fresh = (found?.options ?? []).filter((it) => isWanted || it.word !== typed).slice(0, 40)
    if (fresh.length === 0) return close()
    options = fresh.map((it) => ({ ...it, from: found.from, to: found.to }))
    at = 0
    showPopup()
  }
  const showPopup = () => {
    popup.replaceChildren(
      ...options.map((it, index) =>
        h(
          'li',
          {
            role: 'option',
            'aria-selected': String(index === at),
            onmousedown: (event) => {
              event.preventDefault()
              take(it)
            },
          },
          h('b', {}, it.word),
          ' ',
          h('span', {}, it.says),
        ),
      ),
    )
    const before = input.value.slice(0, options[0].from).split('\n')
    const height = painted.firstElementChild?.getBoundingClientRect().height ?? 20
    const top = before.length * height - input.scrollTop
    // Above the line where there is no room below it.
    const isLow = top > input.clientHeight / 2
    const column = before.at(-1).length
    popup.style.left = `min(${column}ch, 40%)`
    popup.style.maxInlineSize = `calc(100% - min(${column}ch, 40%) - 1rem)`
    popup.style.top = `${isLow ? top - height + 8 : top + 12}px`
    popup.classList.toggle('above', isLow)
    popup.hidden = false
    popup.children[at]?.scrollIntoView({ block: 'nearest' })
  }
  const take = ({ from, to, insert }) => {
    close()
    replace(from, to, insert)
    close()
  }
  const close = () => {
    asked += 1
    options = []
    popup.hidden = true
  }

  const onKey = (event) => {
    const { key } = event
    const isCommand = event.ctrlKey || event.metaKey
    if (isCommand && key === 'Enter') onRun()
    else if (isCommand && key === 's') onSave()
    else if (event.ctrlKey && key === ' ') suggest(true)
    else if (options.length > 0 && ['ArrowDown', 'ArrowUp'].includes(key)) {
      at = (at + (key === 'ArrowDown' ? 1 : -1) + options.length) % options.length
      showPopup()
    } else if (options.length > 0 && (key === 'Enter' || key === 'Tab')) take(options[at])
    else if (options.length > 0 && key === 'Escape') close()
    else if (key === 'Enter' && !isCommand) {
      const [line] = input.value.slice(0, input.selectionStart).split('\n').slice(-1)
      const [indent] = /^ */.exec(line)
      replace(input.selectionStart, input.selectionEnd, `\n${indent}`)
    } else return
    event.preventDefault()
  }

  return {
    element,
    get value() {
      return input.value
    },
    /** Accepts no text until the next `set`. */
    lock: () => {
      input.readOnly = true
    },
    set: (text) => {
      const { scrollTop } = input
      input.value = text
      input.readOnly = false
      input.scrollTop = scrollTop
      close()
      problems = []
      paint()
      checkNow()
    },
    showProblems,
    /** Scrolls past the comment at the top, which the tour shows in a readable form. */
    skipComment: () => {
      const first = input.value.split('\n').findIndex((line) => !line.startsWith('#'))
      const height = painted.firstElementChild?.getBoundingClientRect().height ?? 20
      input.scrollTop = Math.max(0, first) * height
      follow()
    },
    /** Marks the line of a step, and the line that failed. */
    markLines: (line, failed) => {
      if (line === lineNow && failed === lineFailed) return
      lineNow = line
      lineFailed = failed
      paint()
      if (line !== undefined && document.activeElement !== input) reveal(line)
    },
  }
}
