import { foreign, h, keyed, setAttribute, setText } from './dom.js'
import { createInbox } from './inbox.js'
import { createKeys } from './keys.js'
import { follow } from './live.js'
import { createExchanges, createJournal } from './logs.js'
import { createOperator } from './operator.js'
import { button, nothing } from './parts.js'
import { createServer } from './server.js'
import { signIn } from './sign-in.js'
import { createTasks } from './tasks.js'
import { createClock, dateAndTime, timeOfDay } from './time.js'

const tenant = decodeURIComponent(/\/console\/([^/]+)/.exec(location.pathname)?.[1] ?? '')
const at = (id) => document.getElementById(id)
const main = at('main')
const server = createServer(tenant)
const clock = createClock()

/** Tells a screen reader; the same words twice are heard twice. */
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
    else signedOut(problem)
  }
}

/** Somebody is in: builds the views and follows what happens. */
const open = (session) => {
  const tabs = at('tabs')
  const page = {
    session,
    server,
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
      window.scrollTo(0, 0)
    }
    current.open(id === undefined ? undefined : decodeURIComponent(id))
    refresh()
  }

  const refresh = () => {
    const views = current === inbox ? [inbox] : [inbox, current]
    for (const view of views) view.refresh().catch(lost)
  }

  const lost = ({ status, code }) => {
    if (status !== 401 && code !== 'tenant_not_found') return
    stop()
    if (status === 401) signedOut('Your session is over.')
    else gone()
  }

  const live = h('span', { class: 'live', role: 'img' })
  const time = h('time', { class: 'clock' })
  const showLive = (isLive) => {
    const text = isLive ? 'Live' : 'Connection lost, trying again'
    live.classList.toggle('lost', !isLive)
    if (live.getAttribute('aria-label') === text) return
    if (live.hasAttribute('aria-label')) announce(isLive ? 'Live again.' : `${text}.`)
    setAttribute(live, 'aria-label', text)
    setAttribute(live, 'title', text)
  }
  const tick = () => {
    const now = clock.now()
    setText(time, timeOfDay(now))
    setAttribute(time, 'datetime', new Date(now * 1000).toISOString())
    setAttribute(
      time,
      'title',
      `${dateAndTime(now)}, by the clock of this tenant${clock.running ? '' : ', which stands still'}`,
    )
    current?.tick?.()
    if (current !== inbox) inbox.tick()
  }

  let seen = { exchanges: 0, misbehaviours: 0 }
  const stopFollowing = follow(server.base, {
    status: showLive,
    hello: (resumed) => {
      for (const { view } of Object.values(views)) if (!resumed) view.begin?.()
      refresh()
    },
    entry: (entry) => {
      inbox.refresh().catch(lost)
      if (current !== inbox && current.concerns(entry)) current.refresh().catch(lost)
    },
    pulse: (pulse) => {
      const moved = Math.abs(pulse.now - clock.now()) > 2
      clock.hear(pulse)
      if (moved) refresh()
      else if (JSON.stringify(seen) !== JSON.stringify(pulse) && current.watchesPulse) {
        current.refresh().catch(lost)
      }
      seen = pulse
      tick()
    },
    refused: () => server.get('/session').catch(lost),
  })
  const timer = setInterval(tick, 1000)
  const unlisten = createKeys(() => ({ ...current.keys }), Object.keys(views), page.go)
  window.addEventListener('hashchange', route)

  const stop = () => {
    stopFollowing()
    clearInterval(timer)
    unlisten()
    window.removeEventListener('hashchange', route)
    tabs.replaceChildren()
    at('seat').replaceChildren()
  }

  showSeat(
    session,
    { live, time },
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

const showSeat = ({ user, operator, approvers }, { live, time }, leave, take) => {
  const options = approvers.map(({ id, name }) =>
    h('option', { value: id, selected: id === user?.id }, foreign(name).textContent),
  )
  at('seat').replaceChildren(
    h('span', { class: 'now' }, live, time),
    operator && approvers.length > 0
      ? h(
          'label',
          { class: 'as' },
          h('span', {}, 'You are'),
          h('select', { onchange: (event) => take(event.target.value) }, options),
        )
      : h('span', { class: 'as' }, user ? foreign(user.name) : 'Operator'),
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
    h('div', { class: 'door' }, nothing('No such tenant', `There is no tenant ${tenant} here.`)),
  )

at('skip').addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})
start()
