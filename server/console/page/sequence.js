import { foreign, h, keyed, svg } from './dom.js'
import { exchangeDetail } from './exchange.js'
import { json } from './parts.js'
import { lanesOf, stepsOf } from './steps.js'
import { sentence } from './words.js'

const rowHeight = 34

/**
 * The sequence diagram of a task. Each step is a strip of the same lanes, so that the strips make
 * one drawing and still open and close each by itself, by mouse or keyboard.
 */
export const createSequence = () => {
  const head = h('div', { class: 'lanes', 'aria-hidden': 'true' })
  const list = h('ol', { class: 'steps', 'aria-label': 'Steps' })
  let drawn = ''

  return {
    element: h('div', { class: 'sequence' }, arrowHeads(), head, list),
    show: (timeline) => {
      const steps = stepsOf(timeline)
      const shown = lanesOf(steps)
      const ids = shown.map(({ id }) => id)
      if (drawn !== ids.join()) {
        drawn = ids.join()
        list.replaceChildren()
        head.replaceChildren(...shown.map(({ name }) => h('span', {}, name)))
      }
      keyed(list, steps, keyOf, (step) => strip(step, ids))
    },
    open: (seq) => {
      const row = list.querySelector(`[data-exchange="${seq}"]`)
      if (row === null) return
      row.firstElementChild.open = true
      row.scrollIntoView({ block: 'center' })
      row.querySelector('summary').focus()
    },
  }
}

const keyOf = ({ exchange, entries, inner = [] }) =>
  exchange
    ? `x${exchange.seq}-${entries.length}-${inner.length}`
    : `e${entries.map(({ seq }) => seq).join()}`

const strip = (step, ids) => {
  const { exchange, entries, from, to } = step
  const arrows = exchange
    ? arrowsOf(step)
    : entries.map((entry) =>
        from ? { from, to, label: [verb(entry)], kind: 'decides' } : { note: entry },
      )
  const body = h('div', { class: 'step-detail' })
  const details = h(
    'details',
    {
      ontoggle: () => {
        if (!details.open || body.childElementCount > 0) return
        for (const it of [exchange, ...(step.inner ?? []).map((inner) => inner.exchange)]) {
          if (it) body.append(exchangeDetail(it))
        }
        if (entries.length > 0) {
          body.append(
            h('p', { class: 'part' }, 'In the journal'),
            ...entries.map((entry) => json(entry, `Entry ${entry.seq}`)),
          )
        }
      },
    },
    h('summary', {}, h('span', { class: 'hidden' }, spoken(step)), drawing(arrows, ids)),
    body,
  )
  return h(
    'li',
    { class: exchange ? 'step' : 'step event', 'data-exchange': exchange?.seq },
    details,
  )
}

/** A request, what happened before its answer, and the answer. */
const arrowsOf = ({ exchange: { request, answer }, entries, inner = [], from, to }) => [
  {
    from,
    to,
    label: [h('b', {}, foreign(request.method)), ' ', foreign(shortPath(request.path))],
    kind: 'ask',
  },
  ...inner.flatMap(arrowsOf),
  ...entries.map((entry) => ({ note: entry })),
  {
    from: to,
    to: from,
    label: String(answer.status),
    kind: `answer s${String(answer.status)[0]}`,
  },
]

const drawing = (arrows, ids) => {
  const height = arrows.length * rowHeight
  const x = (id) => ((ids.indexOf(id) + 0.5) * 100) / ids.length
  const picture = svg(
    'svg',
    { class: 'strip', width: '100%', height, 'aria-hidden': 'true', focusable: 'false' },
    ids.map((id) =>
      svg('line', { class: 'lifeline', x1: `${x(id)}%`, x2: `${x(id)}%`, y1: 0, y2: height }),
    ),
    arrows.map((arrow, at) => {
      const y = at * rowHeight + rowHeight - 8
      if (arrow.note) {
        return svg('circle', {
          class: `event ${tone(arrow.note)}`,
          cx: `${x('issuer')}%`,
          cy: y - 9,
          r: 4.5,
        })
      }
      return svg('line', {
        class: `arrow ${arrow.kind}`,
        x1: `${x(arrow.from)}%`,
        x2: `${x(arrow.to)}%`,
        y1: y,
        y2: y,
        'marker-end': 'url(#arrow-head)',
      })
    }),
  )
  const labels = arrows.map((arrow, at) => {
    const label = arrow.note
      ? h('span', { class: `label note ${tone(arrow.note)}` }, h('span', {}, noteText(arrow.note)))
      : h('span', { class: `label ${arrow.kind}` }, h('span', {}, arrow.label))
    const [left, right] = arrow.note
      ? [x('issuer'), 100]
      : [x(arrow.from), x(arrow.to)].sort((a, b) => a - b)
    label.style.insetInlineStart = `${left}%`
    label.style.inlineSize = `${right - left}%`
    label.style.insetBlockStart = `${at * rowHeight + (arrow.note ? 6 : 5)}px`
    return label
  })
  return h('span', { class: 'drawing', 'aria-hidden': 'true' }, picture, labels)
}

const noteText = (entry) => [h('b', {}, entry.type), ' ', sentence(entry)]

const verb = (entry) => [
  h(
    'b',
    {},
    {
      'permission.endorsed': 'agrees',
      'permission.approved': 'approves',
      'permission.denied': 'denies',
    }[entry.type],
  ),
]

const tone = ({ type, reason }) => {
  if (reason === 'task_completed') return 'plain'
  if (/denied|suspended|revoked/.test(type)) return 'bad'
  if (/approved|endorsed|issued/.test(type)) return 'good'
  return 'plain'
}

/** `/t/acme/api/v1/jit/request/jit_9f…/status` is known by its end. */
const shortPath = (path) =>
  path
    .replace(/^\/(t|orgs)\/[^/]+(\/api\/v1)?/, '')
    .replace(/(?<![a-z])([a-z]+_[0-9a-f]{4})[0-9a-f]{8,}/g, '$1…')

const spoken = ({ exchange, entries, from, to }) => {
  const events = entries.map(({ type }) => type).join(', ')
  if (exchange) {
    const { request, answer } = exchange
    return `${from} to ${to}: ${request.method} ${request.path}, answered ${answer.status}${events ? `; meanwhile ${events}` : ''}`
  }
  const by = from ? `, by ${entries[0].by}` : ''
  return `${events}${by}`
}

const arrowHeads = () =>
  svg(
    'svg',
    { class: 'defs', width: 0, height: 0, 'aria-hidden': 'true', focusable: 'false' },
    svg(
      'defs',
      {},
      svg(
        'marker',
        {
          id: 'arrow-head',
          viewBox: '0 0 8 8',
          refX: 7.5,
          refY: 4,
          markerWidth: 8,
          markerHeight: 8,
          markerUnits: 'userSpaceOnUse',
          orient: 'auto',
        },
        svg('path', { d: 'M0 0.5 L7.5 4 L0 7.5 Z', fill: 'context-stroke' }),
      ),
    ),
  )
