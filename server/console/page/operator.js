import { coalesced, foreign, h, keyed, setText } from './dom.js'
import { button, nothing } from './parts.js'
import { dateAndTime, duration, readDuration } from './time.js'

/** Seconds, and the text of the button. */
const jumps = [
  [30, '+30 s'],
  [60, '+1 min'],
  [300, '+5 min'],
  [3600, '+1 h'],
]

/** The clock and the misbehaviours of the tenant. */
export const createOperator = (page) => {
  const problem = h('p', { class: 'problem', role: 'alert' })
  /** Number of started and of finished actions. */
  let begun = 0
  let over = 0
  const doing = (act) => async (event) => {
    event?.preventDefault()
    setText(problem, '')
    begun += 1
    try {
      await act(event)
    } catch (refused) {
      setText(problem, refused.message)
    }
    over += 1
    await refresh()
  }

  const time = h('p', { class: 'big-clock' })
  const mode = h('p', { class: 'muted' })
  const by = h('input', {
    id: 'by',
    value: '15 min',
    required: true,
    spellcheck: 'false',
    'aria-describedby': 'by-hint',
  })
  const to = h('input', { id: 'to', type: 'datetime-local', step: 1, required: true })
  const move = async (order) => {
    const { epoch } = await page.server.post('/clock', order)
    page.clock.hear({ now: epoch, running: page.clock.running })
    tick()
    page.announce(`The clock says ${dateAndTime(epoch)}.`)
  }
  const clock = h(
    'section',
    { class: 'card', 'aria-labelledby': 'clock' },
    h('h2', { id: 'clock' }, 'Clock'),
    time,
    mode,
    h(
      'div',
      { class: 'buttons' },
      jumps.map(([advance, label]) =>
        button(
          label,
          doing(() => move({ advance })),
          { 'aria-label': `${label}, advance the clock` },
        ),
      ),
    ),
    h(
      'form',
      { class: 'inline', onsubmit: doing(() => move({ advance: secondsIn(by.value) })) },
      h('label', { for: 'by' }, 'Advance by'),
      by,
      h('button', {}, 'Advance'),
      h('span', { class: 'hint', id: 'by-hint' }, 'such as 90 min, 2 h or PT15M'),
    ),
    h(
      'form',
      {
        class: 'inline',
        onsubmit: doing(() =>
          move({ set: `${to.value.length === 16 ? `${to.value}:00` : to.value}Z` }),
        ),
      },
      h('label', { for: 'to' }, 'Set to (UTC)'),
      to,
      h('button', {}, 'Set'),
      h('span', { class: 'hint' }, 'The clock only moves forward.'),
    ),
    problem,
  )

  const switches = h('div', { class: 'switches' })
  const none = nothing('No misbehaviours', 'This harness was started without any.')
  none.hidden = true
  const on = h('ul', { class: 'switched-on', 'aria-label': 'Misbehaviours that are on' })
  const allOff = button(
    'Switch all off',
    doing(async () => {
      await page.server.delete('/misbehaviours')
      page.announce('Every misbehaviour is off.')
    }),
    { class: 'deny' },
  )
  const onHead = h('div', { class: 'column-head' }, h('h3', {}, 'On now'), allOff)
  const search = h('input', {
    type: 'search',
    placeholder: 'Search, such as token, expired or CHAL',
    'aria-label': 'Search misbehaviours',
    spellcheck: 'false',
    oninput: () => show(),
  })
  const found = h('p', { class: 'muted', role: 'status' })
  const misbehaviours = h(
    'section',
    { class: 'card', 'aria-labelledby': 'misbehaviours' },
    h('h2', { id: 'misbehaviours' }, 'Misbehaviours'),
    h('p', { class: 'muted' }, 'Each is a defect that an agent, an API or a test should notice.'),
    onHead,
    on,
    search,
    found,
    none,
    switches,
  )

  const seatGroup = ({ seat }) =>
    h(
      'section',
      {},
      h('h3', {}, { issuer: 'Issuer', api: 'API', network: 'Network' }[seat] ?? seat),
      h('ul'),
    )

  const onRow = ({ name }) =>
    h(
      'li',
      { class: 'on-row' },
      h('code', {}, foreign(name)),
      h('span', { class: 'muted' }),
      button(
        'Off',
        doing(async () => {
          await page.server.delete(`/misbehaviours/${encodeURIComponent(name)}`)
          page.announce(`${name} is off.`)
        }),
        { 'aria-label': `Off: ${name}` },
      ),
    )

  const row = ({ name, says, breaks }) => {
    const id = `switch-${name}`
    const often = h(
      'select',
      { 'aria-label': `How often: ${name}` },
      [
        ['', 'until switched off'],
        ['1', 'once'],
        ['3', '3 times'],
        ['10', '10 times'],
      ].map(([value, label]) => h('option', { value }, label)),
    )
    const toggle = h('input', {
      type: 'checkbox',
      role: 'switch',
      id,
      'aria-describedby': `${id}-says`,
      onchange: doing(async () => {
        if (toggle.checked) {
          await page.server.post('/misbehaviours', {
            name,
            ...(often.value ? { times: Number(often.value) } : {}),
          })
        } else {
          await page.server.delete(`/misbehaviours/${encodeURIComponent(name)}`)
        }
        page.announce(`${name} is ${toggle.checked ? 'on' : 'off'}.`)
      }),
    })
    return h(
      'li',
      { class: 'switch' },
      toggle,
      h('label', { for: id }, h('code', {}, foreign(name))),
      often,
      h(
        'p',
        { id: `${id}-says`, class: 'muted' },
        says
          .split('`')
          .map((part, at) =>
            at % 2 ? h('code', {}, foreign(part)) : foreign(part, { lines: true }),
          ),
        ` Breaks ${breaks}.`,
      ),
    )
  }

  const refresh = coalesced(async () => {
    const before = over
    const { known, active } = await page.server.get('/misbehaviours')
    // This answer is older than a switch that was just made; the switch loads the list again.
    if (before !== begun) return
    state = { known, active }
    show()
    tick()
  })

  let state = { known: [], active: [] }
  const show = () => {
    const { known, active } = state
    const isOn = new Set(active.map(({ name }) => name))
    const words = search.value.trim().toLowerCase().split(/\s+/)
    const matching = known.filter(({ name, says, breaks }) => {
      const text = `${name} ${says} ${breaks}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    const seats = [...new Set(matching.map(({ seat }) => seat))].map((seat) => ({
      seat,
      of: matching.filter((it) => it.seat === seat),
    }))
    none.hidden = known.length > 0
    onHead.hidden = active.length === 0
    setText(onHead.firstElementChild, `On now (${active.length})`)
    keyed(
      on,
      active,
      ({ name }) => name,
      onRow,
      (item, order) => setText(item.children[1], limitsOf(order)),
    )
    setText(
      found,
      search.value.trim() === ''
        ? `${known.length} in all`
        : `The search finds ${matching.length} of ${known.length}.`,
    )
    keyed(
      switches,
      seats,
      ({ seat }) => seat,
      seatGroup,
      (group, { of }) => {
        keyed(
          group.lastElementChild,
          of,
          ({ name }) => name,
          row,
          (item, { name }) => {
            item.querySelector('input').checked = isOn.has(name)
            item.classList.toggle('on', isOn.has(name))
          },
        )
      },
    )
  }

  const tick = () => {
    const now = page.clock.now()
    setText(time, dateAndTime(now))
    setText(
      mode,
      page.clock.running ? `It runs${drift(now)}.` : 'It stands still until you move it.',
    )
    if (to.value === '') to.value = new Date(now * 1000).toISOString().slice(0, 19)
  }

  return {
    element: h('div', { class: 'operator' }, h('h1', {}, 'Harness'), clock, misbehaviours),
    refresh,
    tick,
    open: () => {},
    concerns: () => false,
    watchesPulse: true,
    keys: {},
  }
}

/** When a misbehaviour acts, if not always. */
const limitsOf = ({ times, nth, route, seat, ms }) =>
  [
    times === undefined ? undefined : times === 1 ? 'once' : `${times} times`,
    nth === undefined ? undefined : `from exchange ${nth} on`,
    route,
    seat === undefined ? undefined : `at the ${seat}`,
    ms === undefined ? undefined : `${ms} ms`,
  ]
    .filter((it) => it !== undefined)
    .join(', ')

const secondsIn = (text) => {
  const seconds = readDuration(text)
  if (seconds === undefined) {
    throw new Error(`“${text}” is not a duration. Write one such as 90 min, 2 h or PT15M.`)
  }
  return seconds
}

const drift = (now) => {
  const ahead = now - Date.now() / 1000
  if (Math.abs(ahead) < 5) return ', together with the clock of this computer'
  return `, ${duration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the clock of this computer`
}
