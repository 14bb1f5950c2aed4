import { coalesced, foreign, h, keyed, setText } from './dom.js'
import { button, nothing } from './parts.js'
import { dateAndTime, duration } from './time.js'

const jumps = [
  ['PT30S', '+30 s'],
  ['PT1M', '+1 min'],
  ['PT5M', '+5 min'],
  ['PT1H', '+1 h'],
]

/** The clock of the tenant, and what can be made to go wrong. */
export const createOperator = (page) => {
  const problem = h('p', { class: 'problem', role: 'alert' })
  /** How many acts have begun, and how many are over. */
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
    value: 'PT15M',
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
          { 'aria-label': `Advance by ${label.slice(1)}` },
        ),
      ),
    ),
    h(
      'form',
      { class: 'inline', onsubmit: doing(() => move({ advance: by.value })) },
      h('label', { for: 'by' }, 'Advance by'),
      by,
      h('button', {}, 'Advance'),
      h('span', { class: 'hint', id: 'by-hint' }, 'ISO 8601, such as PT15M'),
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
      h('span', { class: 'hint' }, 'Time runs forward only.'),
    ),
    problem,
  )

  const switches = h('div', { class: 'switches' })
  const none = nothing('No misbehaviours', 'This harness was started without any.')
  const misbehaviours = h(
    'section',
    { class: 'card', 'aria-labelledby': 'misbehaviours' },
    h('h2', { id: 'misbehaviours' }, 'Misbehaviours'),
    h('p', { class: 'muted' }, 'Each is a defect that an agent, an API or a test should notice.'),
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

  const row = ({ name, says }) => {
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
      h('p', { id: `${id}-says`, class: 'muted' }, foreign(says)),
    )
  }

  const refresh = coalesced(async () => {
    const before = over
    const { known, active } = await page.server.get('/misbehaviours')
    // Older than what somebody has just switched, whose own look follows.
    if (before !== begun) return
    const on = new Set(active.map(({ name }) => name))
    const seats = [...new Set(known.map(({ seat }) => seat))].map((seat) => ({
      seat,
      of: known.filter((it) => it.seat === seat),
    }))
    none.hidden = known.length > 0
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
            item.querySelector('input').checked = on.has(name)
            item.classList.toggle('on', on.has(name))
          },
        )
      },
    )
    tick()
  })

  const tick = () => {
    const now = page.clock.now()
    setText(time, dateAndTime(now))
    setText(
      mode,
      page.clock.running ? `It runs${drift(now)}.` : 'It stands still until it is moved.',
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

const drift = (now) => {
  const ahead = now - Date.now() / 1000
  if (Math.abs(ahead) < 5) return ', together with the clock of this computer'
  return `, ${duration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the clock of this computer`
}
