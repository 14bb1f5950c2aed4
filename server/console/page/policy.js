import { foreign, h, setText, svg } from './dom.js'
import { inShort, nothing } from './parts.js'
import { dateAndTime } from './time.js'

const decisions = [
  ['approve', 'approved'],
  ['ask', 'asked'],
  ['deny', 'denied'],
]

/** Decides the decided requests of the tenant again, with a policy that is pasted or read from a file. */
export const createPolicy = (page) => {
  const problem = h('p', { class: 'problem', role: 'alert' })
  const text = h('textarea', {
    id: 'new-policy',
    spellcheck: 'false',
    'aria-describedby': 'policy-hint',
  })
  const file = h('input', {
    type: 'file',
    id: 'policy-file',
    accept: '.yaml,.yml,.json',
    onchange: async () => {
      const [chosen] = file.files
      if (chosen) text.value = await chosen.text()
    },
  })
  const submit = h('button', { class: 'main' }, 'Replay')
  const result = h('div', { class: 'replay' })
  const replay = async (event) => {
    event.preventDefault()
    setText(problem, '')
    submit.disabled = true
    try {
      const replayed = await page.server.post('/policy/replay', { policy: text.value })
      result.replaceChildren(...sections(replayed))
      page.announce(summary(replayed))
    } catch (refused) {
      result.replaceChildren()
      setText(problem, refused.message)
    }
    submit.disabled = false
  }
  const form = h(
    'form',
    { class: 'card', onsubmit: replay },
    h('p', { class: 'field' }, h('label', { for: 'policy-file' }, 'From a file'), ' ', file),
    h('label', { for: 'new-policy' }, 'New policy (YAML or JSON)'),
    text,
    h(
      'p',
      { class: 'hint', id: 'policy-hint' },
      'Changes nothing. Each decided request is decided again, from the facts of its time. An empty text is the default policy.',
    ),
    h('p', { class: 'buttons' }, submit),
    problem,
  )
  return {
    element: h('div', { class: 'replay' }, h('h1', {}, 'Replay a policy'), form, result),
    refresh: async () => {},
    open: () => {},
    concerns: () => false,
    keys: {},
  }
}

const summary = ({ requests, days }) => {
  const sum = (name) => days.reduce((total, it) => total + it[name], 0)
  const count = requests === 1 ? '1 decided request' : `${requests} decided requests`
  const prompts = (number) => (number === 1 ? '1 prompt' : `${number} prompts`)
  return `${count}: the new policy spares people ${prompts(sum('spared'))} and gives them ${prompts(sum('given'))}.`
}

const sections = (replayed) => {
  const { days, changes, complete_from: since } = replayed
  if (days.length === 0) {
    return [nothing('No decided requests', 'A replay needs requests that were approved or denied.')]
  }
  return [
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'replayed' },
      h('h2', { id: 'replayed' }, 'Decisions per day (UTC)'),
      h('p', {}, summary(replayed)),
      since === null
        ? null
        : h('p', { class: 'muted' }, `Complete for what was decided since ${dateAndTime(since)}.`),
      chart(days),
      table(
        'Decisions per day',
        [
          ['Day'],
          ...['Before: approved', 'asked', 'denied'].map((it) => [it, 'number']),
          ...['After: approved', 'asked', 'denied'].map((it) => [it, 'number']),
          ['Prompts spared', 'number'],
          ['Prompts given', 'number'],
        ],
        [...days, total(days)].map(({ day, before, after, spared, given }) => [
          day,
          ...decisions.map(([name]) => before[name]),
          ...decisions.map(([name]) => after[name]),
          spared,
          given,
        ]),
      ),
    ),
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'changed' },
      h('h2', { id: 'changed' }, 'Decided otherwise'),
      changes.length === 0
        ? h('p', {}, 'The new policy decides every request as before.')
        : table(
            'Requests decided otherwise',
            [
              ['Requests', 'number'],
              ['Decision'],
              ['Rule before'],
              ['Rule after'],
              ['First of them'],
            ],
            changes.map(({ count, before, after, example }) => [
              count,
              `${before.decision} → ${after.decision}`,
              foreign(before.rule),
              foreign(after.rule),
              [inShort(example.authorization_details), ' by ', foreign(example.agent)],
            ]),
          ),
    ),
  ]
}

const total = (days) => {
  const sum = (of) => days.reduce((so, it) => so + of(it), 0)
  const all = (which) =>
    Object.fromEntries(decisions.map(([name]) => [name, sum((it) => it[which][name])]))
  return {
    day: 'Total',
    before: all('before'),
    after: all('after'),
    spared: sum((it) => it.spared),
    given: sum((it) => it.given),
  }
}

const table = (label, head, rows) =>
  h(
    'div',
    { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map(([it, kind]) => h('th', { scope: 'col', class: kind }, it)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell, at) => h('td', { class: head[at][1] }, cell)),
          ),
        ),
      ),
    ),
  )

const bar = { x: 150, width: 480, height: 12, day: 38 }

/** Two bars per day, before and after. The table beside it has the same numbers. */
const chart = (days) => {
  const most = Math.max(
    1,
    ...days.map(({ before }) => decisions.reduce((sum, [it]) => sum + before[it], 0)),
  )
  const bars = (counts, y) => {
    let x = bar.x
    return decisions.map(([name]) => {
      const width = (counts[name] / most) * bar.width
      const drawn = svg('rect', { x, y, width, height: bar.height, class: name })
      x += width
      return drawn
    })
  }
  return [
    h(
      'p',
      { class: 'legend muted', 'aria-hidden': 'true' },
      decisions.map(([name, label]) =>
        h(
          'span',
          {},
          svg(
            'svg',
            { class: 'chart swatch', viewBox: '0 0 12 12', width: 12, height: 12 },
            svg('rect', { width: 12, height: 12, class: name }),
          ),
          ` ${label}`,
        ),
      ),
    ),
    svg(
      'svg',
      {
        class: 'chart',
        viewBox: `0 0 640 ${days.length * bar.day}`,
        role: 'img',
        'aria-label':
          'Approved, asked and denied per day, before and after; the table has the numbers',
      },
      days.flatMap(({ day, before, after }, at) => {
        const y = at * bar.day + 4
        return [
          svg('text', { x: 0, y: y + 10 }, day),
          svg('text', { x: 92, y: y + 10 }, 'before'),
          bars(before, y),
          svg('text', { x: 92, y: y + 25 }, 'after'),
          bars(after, y + 15),
        ]
      }),
    ),
  ]
}
