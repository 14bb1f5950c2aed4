import { foreign, h, keyed, setAttribute, setText } from './dom.js'
import { createInbox } from './inbox.js'
import { createKeys } from './keys.js'
import { follow } from './live.js'
import { createExchanges, createJournal } from './logs.js'
import { createOperator } from './operator.js'
import { button } from './parts.js'
import { createPolicy } from './policy.js'
import { createServer } from './server.js'
import { signIn } from './sign-in.js'
import { createTasks } from './tasks.js'
import { createClock, dateAndTime, duration, timeOfDay } from './time.js'

const tenant = decodeURIComponent(/\/console\/([^/]+)/.exec(location.pathname)?.[1] ?? '')
const at = (id) => document.getElementById(id)
const main = at('main')
const server = createServer(tenant)
const clock = createClock()

/** Announces a text to screen readers, also when it is the same text again. */
const announce = (text) => {
  const news = at('news')
  news.textContent = ''
  requestAnimationFrame(() => {
    news.textContent = text
  })
}

const start = async () => {
  setText(at('tenant'), tenant)
  const code = /^#code=(.+)$/.exec(location.hash)?.[1]
  if (code) history.replaceState(null, '', location.pathname)
  let problem
  if (code) {
    await server.post('/session', { code }).catch((refused) => {
      problem = refused.message
    })
  }
  try {
    open(await server.get('/session'))
  } catch (refused) {
    if (refused.status === 404) gone()
    else if (refused.code === 'unreachable') unreachable()
    else signedOut(problem)
  }
}

/** Builds the views after the sign-in, and follows the events. */
const open = (session) => {
  server.adopt(session)
  const tabs = at('tabs')
  const page = {
    session,
    server,
    /** Why no decision is possible now. Undefined when one is. */
    locked: undefined,
    clock,
    announce,
    go: (hash) => {
      location.hash = `#/${hash}`
    },
    count: (waiting) => {
      setText(badge, String(waiting))
      badge.classList.toggle('none', waiting === 0)
      document.title = `${waiting > 0 ? `(${waiting}) ` : ''}Approvals · ${tenant}`
    },
  }
  const badge = h('span', { class: 'count' }, '0')
  const inbox = createInbox(page)
  const views = {
    inbox: { label: ['Inbox ', badge], view: inbox },
    tasks: { label: 'Tasks', view: createTasks(page) },
    journal: { label: 'Journal', view: createJournal(page) },
    exchanges: { label: 'Exchanges', view: createExchanges(page) },
    policy: { label: 'Policy', view: createPolicy(page) },
    ...(session.operator ? { harness: { label: 'Harness', view: createOperator(page) } } : {}),
  }
  let current

  keyed(
    tabs,
    Object.entries(views),
    ([name]) => name,
    ([name, { label }]) => h('a', { href: `#/${name}` }, label),
  )

  const route = () => {
    const [, name = 'inbox', id] = location.hash.split('/')
    const chosen = views[name] ?? views.inbox
    for (const link of tabs.children) {
      setAttribute(link, 'aria-current', views[link.dataset.key] === chosen ? 'page' : null)
    }
    if (current !== chosen.view) {
      current = chosen.view
      main.replaceChildren(current.element)
      main.scrollTo(0, 0)
    }
    current.open(id === undefined ? undefined : decodeURIComponent(id))
    refresh()
  }

  const refresh = () => {
    const views = current === inbox ? [inbox] : [inbox, current]
    for (const view of views) load(view)
  }

  /** Loads a view. A failed load is reported and repeated. */
  const load = async (view) => {
    try {
      await view.refresh()
      if (!isReachable) showLive({ reachable: true })
    } catch (refused) {
      if (refused.code !== 'unreachable') return lost(refused)
      showLive({ reachable: false })
      clearTimeout(retry)
      retry = setTimeout(refresh, 2000)
    }
  }

  const lost = ({ status, code }) => {
    if (code === 'csrf') return checkSession()
    if (status !== 401 && code !== 'tenant_not_found') return
    stop()
    if (status === 401) signedOut('Your session has ended.')
    else gone()
  }
  page.lost = lost

  /** Another tab of this browser may have signed in as another person meanwhile. */
  const checkSession = async () => {
    try {
      const now = await server.get('/session')
      const isMine = now.user?.id === session.user?.id && now.operator === session.operator
      if (isMine) server.adopt(now)
      other = isMine ? undefined : now
      showLocks()
    } catch (refused) {
      lost(refused)
    }
  }

  let retry
  let isReachable = true
  let isStreaming
  /** The user of the session, if it is no longer the session of this page. */
  let other
  const live = h('span', { class: 'live', role: 'img' })
  const time = h('time', { class: 'clock' })
  const showLive = ({ streaming = isStreaming, reachable = isReachable }) => {
    isStreaming = streaming
    isReachable = reachable
    if (streaming === undefined) return
    const isLive = streaming && reachable
    const text = isLive ? 'Live' : 'Connection lost, trying again'
    live.classList.toggle('lost', !isLive)
    if (live.getAttribute('aria-label') !== text) {
      if (isLive && live.hasAttribute('aria-label')) announce('The connection is back.')
      setAttribute(live, 'aria-label', text)
      setAttribute(live, 'title', text)
    }
    showLocks()
  }
  const showLocks = () => {
    const isLive = isReachable && isStreaming !== false
    page.locked = other
      ? 'Another person has signed in with this browser.'
      : isLive
        ? undefined
        : 'The connection is lost. Decisions are possible again once it is back.'
    showBanner(
      other
        ? [
            'other',
            h(
              'span',
              {},
              'In another tab, ',
              foreign(other.user?.name ?? 'an operator'),
              ' has signed in with this browser. This tab showed the page to ',
              foreign(session.user?.name ?? 'an operator'),
              '.',
            ),
            button(['Continue as ', foreign(other.user?.name ?? 'the operator')], () => {
              stop()
              open(other)
            }),
          ]
        : isLive
          ? undefined
          : [
              'lost',
              h('strong', {}, 'Connection lost.'),
              ' What you see may be out of date. Decisions are locked. Trying again…',
            ],
    )
    inbox.lock()
  }
  const tick = () => {
    const now = clock.now()
    setText(time, `${timeOfDay(now)}${clock.running ? '' : ' stopped'}`)
    setAttribute(time, 'datetime', new Date(now * 1000).toISOString())
    setAttribute(
      time,
      'title',
      `${dateAndTime(now)}, by the clock of this tenant${clock.running ? '' : ', which stands still'}`,
    )
    current?.tick?.()
    if (current !== inbox) inbox.tick()
  }

  /** Active misbehaviours, and a moved clock. */
  const showMarks = ({ misbehaviours, shift }) => {
    const texts = [
      misbehaviours > 0 ? `${misbehaviours} misbehaving` : undefined,
      shift > 0 ? `Clock +${duration(shift)}` : undefined,
    ].filter((it) => it !== undefined)
    const href = session.operator ? '#/harness' : null
    keyed(
      at('marks'),
      texts,
      (it) => it,
      (it) => h(href ? 'a' : 'span', { class: 'badge mark', href }, it),
    )
  }

  let seen = { exchanges: 0, misbehaviours: 0 }
  const stopFollowing = follow(server, {
    status: (streaming) => showLive({ streaming }),
    hello: (resumed) => {
      for (const { view } of Object.values(views)) if (!resumed) view.begin?.()
      checkSession()
      refresh()
    },
    entry: (entry) => {
      load(inbox)
      if (current !== inbox && current.concerns(entry)) load(current)
    },
    pulse: (pulse) => {
      const moved = Math.abs(pulse.now - clock.now()) > 2
      clock.hear(pulse)
      if (moved) refresh()
      else if (JSON.stringify(seen) !== JSON.stringify(pulse) && current.watchesPulse) {
        load(current)
      }
      seen = pulse
      showMarks(pulse)
      tick()
    },
    refused: checkSession,
  })
  const timer = setInterval(tick, 1000)
  const keys = createKeys(() => ({ ...current.keys }), Object.keys(views), page.go)
  window.addEventListener('hashchange', route)

  const stop = () => {
    stopFollowing()
    clearInterval(timer)
    clearTimeout(retry)
    showBanner()
    keys.stop()
    window.removeEventListener('hashchange', route)
    tabs.replaceChildren()
    at('seat').replaceChildren()
    at('marks').replaceChildren()
  }

  showSeat(
    session,
    { live, time, keys: keys.opener },
    async () => {
      await server.delete('/session').catch(() => {})
      stop()
      signedOut('You are signed out.')
    },
    async (user) => {
      const taken = await server.post('/session', { user })
      stop()
      open(taken)
      announce(`You are ${taken.user.name} now.`)
      at('seat').querySelector('select')?.focus()
    },
  )
  tick()
  route()
}

const showSeat = ({ user, operator, approvers }, { live, time, keys }, leave, take) => {
  const options = approvers.map(({ id, name }) =>
    h('option', { value: id, selected: id === user?.id }, foreign(name).textContent),
  )
  at('seat').replaceChildren(
    h('span', { class: 'now' }, live, time),
    operator && approvers.length > 0
      ? h(
          'label',
          { class: 'as' },
          h('span', {}, 'Acting as'),
          h(
            'select',
            { 'aria-label': 'Acting as', onchange: (event) => take(event.target.value) },
            options,
          ),
        )
      : h('span', { class: 'as' }, user ? foreign(user.name) : 'Operator'),
    keys,
    button('Sign out', leave, { class: 'quiet' }),
  )
}

const signedOut = (text) => {
  document.title = `Approvals · ${tenant}`
  main.replaceChildren(signIn(server, open, text))
  main.querySelector('input')?.focus()
}

const gone = () =>
  main.replaceChildren(
    h(
      'div',
      { class: 'door' },
      h(
        'div',
        { class: 'nothing' },
        h('h1', {}, 'No such tenant'),
        h('p', {}, `There is no tenant ${tenant} here.`),
        h('p', {}, h('a', { href: '/console' }, 'All tenants')),
      ),
    ),
  )

const unreachable = () => {
  showBanner(['lost', h('strong', {}, 'The server does not answer.'), ' Trying again…'])
  setTimeout(async () => {
    showBanner()
    await start()
  }, 2000)
}

/** Messages about the whole page. The same banner is announced once. */
const showBanner = ([name, ...content] = []) => {
  const banner = at('banner')
  const key = JSON.stringify([name, content.map((it) => it.textContent ?? it)])
  if (banner.dataset.key === key) return
  banner.dataset.key = key
  banner.replaceChildren(...(name ? [h('div', { class: `banner ${name}` }, content)] : []))
}

at('skip').addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})
start()
