import { h, setAttribute, setText } from '../../../server/console/page/dom.js'

/** The head of the page: what was found, what runs, and what holds for all runs. */
export const createHead = ({ items, state, stop, chooseMisbehaviour, tell }) => {
  const counts = h('p', { class: 'counts' })
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Progress of the run', hidden: true })
  const stopButton = h(
    'button',
    { type: 'button', class: 'stop', onclick: stop, hidden: true },
    'Stop',
  )
  const misbehaving = h('span', { class: 'misbehaving', hidden: true })
  const live = h('span', { class: 'live', role: 'img' })
  const element = h(
    'div',
    { class: 'head-row' },
    h('a', { class: 'brand', href: '#/' }, 'Scenarios'),
    counts,
    bar,
    stopButton,
    h('span', { class: 'gap' }),
    misbehaving,
    h('button', { type: 'button', onclick: chooseMisbehaviour }, 'Misbehaviour…'),
    h('a', { class: 'button', href: '/api/report.html', download: '' }, 'Save report'),
    live,
  )

  const update = () => {
    const all = [...items.values()]
    const count = (verdict) => all.filter((it) => it.verdict === verdict).length
    const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(count)
    counts.replaceChildren(
      h('span', { class: 'is-passed' }, h('span', { class: 'mark' }, '✓'), ` ${passed}`),
      h('span', { class: 'is-failed' }, h('span', { class: 'mark' }, '✗'), ` ${failed}`),
      h('span', { class: 'is-skipped' }, h('span', { class: 'mark' }, '–'), ` ${skipped}`),
      h('span', { class: 'muted' }, `of ${all.length}`),
    )
    setAttribute(
      counts,
      'aria-label',
      `${passed} passed, ${failed} failed, ${skipped} skipped, of ${all.length}`,
    )
    const total = state.runs.reduce((sum, it) => sum + it.total, 0)
    const done = state.runs.reduce((sum, it) => sum + it.done, 0)
    bar.hidden = total === 0
    stopButton.hidden = total === 0
    stopButton.disabled = !state.live
    bar.max = Math.max(1, total)
    bar.value = done
    setText(stopButton, total > 1 ? `Stop (${done}/${total})` : 'Stop')
    live.className = state.live ? 'live' : 'live lost'
    setAttribute(live, 'aria-label', state.live ? 'Connected' : 'Connection lost')
    setAttribute(live, 'title', state.live ? 'Connected' : 'Connection lost')
    misbehaving.hidden = state.misbehaviour === undefined
    misbehaving.replaceChildren(
      'On for every run: ',
      h('b', {}, state.misbehaviour?.name ?? ''),
      ' ',
      h(
        'button',
        {
          type: 'button',
          'aria-label': 'Switch the misbehaviour off',
          onclick: () => {
            state.misbehaviour = undefined
            tell()
          },
        },
        '×',
      ),
    )
    document.title = `${total > 0 ? `${done}/${total} ` : failed > 0 ? `✗ ${failed} ` : ''}Scenarios`
  }
  return { element, update }
}
