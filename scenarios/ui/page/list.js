import { h, setAttribute, setText } from '../../../server/console/page/dom.js'

const marks = { passed: '✓', failed: '✗', skipped: '–' }
const filters = [
  ['', 'all'],
  ['failed', 'failed'],
  ['passed', 'passed'],
  ['skipped', 'skipped'],
  ['none', 'not run'],
]

/** The scenarios by theme, with their verdicts; a search, filters, and buttons that run some of them. */
export const createList = ({ items, state, run, watch }) => {
  const rows = new Map()
  const groups = new Map()
  const chosen = new Set()
  let verdict = ''
  let selected

  const box = h('input', {
    type: 'search',
    placeholder: 'Search: words, rule, tag, file',
    'aria-label': 'Search',
    oninput: () => show(),
  })
  const chips = filters.map(([value, label]) =>
    h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'data-verdict': value,
        'aria-pressed': String(value === verdict),
        onclick: () => {
          verdict = value
          show()
        },
      },
      label,
    ),
  )
  const runButton = h('button', { type: 'button', class: 'main', onclick: () => run(idsToRun()) })
  const failedButton = h('button', { type: 'button', onclick: () => run(failedIds()) })
  const clearButton = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      onclick: () => {
        chosen.clear()
        for (const row of rows.values()) row.check.checked = false
        updateButtons()
      },
    },
    'Clear',
  )
  const none = h('p', { class: 'none', hidden: true }, 'No scenario fits.')
  const themes = h('div', { class: 'themes' })
  const element = h(
    'div',
    { class: 'list-inside' },
    h(
      'div',
      { class: 'list-tools' },
      box,
      h('div', { class: 'chips-row', role: 'group', 'aria-label': 'Show' }, chips),
      h('div', { class: 'run-row' }, runButton, failedButton, clearButton),
    ),
    themes,
    none,
  )

  const shownIds = () => [...rows].filter(([, row]) => !row.element.hidden).map(([id]) => id)
  const idsToRun = () => (chosen.size > 0 ? [...chosen] : shownIds())
  const failedIds = () =>
    [...items.values()].filter((it) => it.verdict === 'failed').map(({ id }) => id)

  const groupOf = (theme) => {
    const known = groups.get(theme)
    if (known) return known
    const count = h('span', { class: 'muted' })
    const list = h('ul', {})
    const isLearn = theme === 'learn'
    const name = isLearn ? 'Learn: a tour in eight steps' : theme
    const runGroup = () =>
      run([...list.children].filter((it) => !it.hidden).map((it) => it.dataset.id))
    const made = {
      count,
      list,
      element: h(
        'section',
        { class: `theme-group${isLearn ? ' learn' : ''}`, 'aria-label': name },
        h(
          'details',
          { open: true },
          h('summary', {}, h('span', { class: 'theme-name' }, name), count),
          list,
        ),
        h(
          'button',
          { type: 'button', class: 'small', 'aria-label': `Run ${theme}`, onclick: runGroup },
          'Run',
        ),
      ),
    }
    groups.set(theme, made)
    themes.append(made.element)
    return made
  }

  const makeRow = (item) => {
    const mark = h('span', { class: 'mark' })
    const title = h('span', { class: 'title' })
    const more = h('span', { class: 'more' })
    const check = h('input', {
      type: 'checkbox',
      'aria-label': `Select ${item.title}`,
      onchange: (event) => {
        if (event.target.checked) chosen.add(item.id)
        else chosen.delete(item.id)
        updateButtons()
      },
    })
    const eye = h(
      'button',
      {
        type: 'button',
        class: 'small eye',
        title: 'Run when the file changes',
        'aria-label': 'Run when the file changes',
        onclick: () => watch([item.id], !items.get(item.id).watched),
      },
      '👁',
    )
    const play = h(
      'button',
      {
        type: 'button',
        class: 'small play',
        title: 'Run',
        'aria-label': `Run ${item.title}`,
        onclick: () => run([item.id]),
      },
      '▶',
    )
    const link = h(
      'a',
      { href: `#/s/${item.id}` },
      mark,
      h('span', { class: 'words' }, title, more),
    )
    const row = h('li', { 'data-id': item.id }, check, link, eye, play)
    groupOf(item.theme).list.append(row)
    return { element: row, mark, title, more, check, eye, link }
  }

  const updateRow = (row, item) => {
    const isBusy = item.state !== 'idle'
    const what = item.broken > 0 ? 'broken' : isBusy ? item.state : (item.verdict ?? 'none')
    row.element.className = `row is-${what}`
    setText(row.mark, item.broken > 0 ? '!' : isBusy ? '' : (marks[item.verdict] ?? '·'))
    setAttribute(row.mark, 'role', 'img')
    setAttribute(
      row.mark,
      'aria-label',
      item.broken > 0 ? 'has mistakes' : what === 'none' ? 'not run' : what,
    )
    setText(row.title, item.title)
    const more = [
      item.broken > 0 ? `${item.broken} ${item.broken === 1 ? 'mistake' : 'mistakes'}` : '',
      item.unsaved && item.verdict ? 'unsaved text' : '',
      item.verdict ? item.misbehaviours.join(', ') : '',
      item.verdict === 'skipped' ? item.reason : '',
      item.failure ? item.failure.message : '',
    ]
    setText(row.more, more.filter(Boolean).join(' · '))
    setAttribute(row.eye, 'aria-pressed', String(item.watched))
    row.text = [item.title, item.theme, item.file, ...item.tags, ...item.covers]
      .join(' ')
      .toLowerCase()
    row.verdict = item.verdict ?? 'none'
  }

  const fits = (row, words) =>
    (verdict === '' || row.verdict === verdict) && words.every((word) => row.text.includes(word))

  /** Shows what the search and the filter leave. */
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean)
    for (const row of rows.values()) row.element.hidden = !fits(row, words)
    for (const { element: group, list } of groups.values()) {
      group.hidden = [...list.children].every((it) => it.hidden)
    }
    none.hidden = shownIds().length > 0
    for (const chip of chips)
      setAttribute(chip, 'aria-pressed', String(chip.dataset.verdict === verdict))
    updateButtons()
  }

  const updateButtons = () => {
    const shown = shownIds().length
    const failed = failedIds().length
    const isAll = shown === rows.size
    setText(
      runButton,
      chosen.size > 0
        ? `Run ${chosen.size} selected`
        : isAll
          ? `Run all ${shown}`
          : `Run ${shown} shown`,
    )
    setText(failedButton, `Run failed (${failed})`)
    runButton.disabled = !state.live || (shown === 0 && chosen.size === 0)
    failedButton.disabled = !state.live || failed === 0
    clearButton.hidden = chosen.size === 0
    for (const [theme, { count }] of groups) {
      const own = [...items.values()].filter((it) => it.theme === theme)
      const done = own.filter((it) => it.verdict === 'passed').length
      const bad = own.filter((it) => it.verdict === 'failed').length
      setText(
        count,
        bad > 0
          ? `${bad} failed of ${own.length}`
          : done > 0
            ? `${done} of ${own.length}`
            : `${own.length}`,
      )
      count.className = bad > 0 ? 'bad' : 'muted'
    }
  }

  return {
    element,
    updateButtons,
    update: (changed) => {
      let isOther = false
      for (const { id } of changed) {
        const item = items.get(id)
        const known = rows.get(id)
        const row = known ?? makeRow(item)
        rows.set(id, row)
        const before = row.verdict
        updateRow(row, item)
        isOther ||= known === undefined || before !== row.verdict
      }
      if (isOther) show()
    },
    remove: (ids) => {
      for (const id of ids) {
        rows.get(id)?.element.remove()
        rows.delete(id)
        chosen.delete(id)
      }
      show()
    },
    select: (id) => {
      rows.get(selected)?.link.removeAttribute('aria-current')
      selected = id
      const row = rows.get(id)
      if (row === undefined) return
      row.link.setAttribute('aria-current', 'page')
      row.element.scrollIntoView({ block: 'nearest' })
    },
  }
}
