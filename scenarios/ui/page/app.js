import { h, setText } from '../../../server/console/page/dom.js'
import { follow } from '../../../server/console/page/live.js'
import { serverAt } from '../../../server/console/page/server.js'
import { createHead } from './head.js'
import { createList } from './list.js'
import { createMisbehaviours } from './misbehaviours.js'
import { createScenario } from './scenario.js'

const at = (id) => document.getElementById(id)
const server = serverAt('/api')
/** The views, after the sign-in. */
let page

/** Uses the one-time code of a link, where the address has one. @returns why it did not work */
const useLink = async () => {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1]
  if (!code) return undefined
  history.replaceState(null, '', location.pathname)
  return server.post('/session', { code }).then(
    () => undefined,
    (refused) => refused.message,
  )
}

const start = async () => {
  const problem = await useLink()
  try {
    server.adopt(await server.get('/session'))
    page ??= open()
    await page.load()
  } catch (refused) {
    if (refused.status === 401) signedOut(problem)
    else lost()
  }
}

const open = () => {
  const items = new Map()
  const state = { live: true, misbehaviour: undefined, runs: [] }
  /** Starts a run, and tells why it did not start. */
  const run = async (ids, text) => {
    try {
      const names = state.misbehaviour === undefined ? [] : [state.misbehaviour.name]
      const { broken } = await server.post('/runs', {
        ids,
        misbehaviours: names,
        ...(text === undefined ? {} : { text }),
      })
      if (broken > 0) announce(`${broken} files have mistakes and were not run`)
      return undefined
    } catch (refused) {
      if (refused.body?.problems === undefined) announce(refused.message)
      return refused
    }
  }
  const tell = () => {
    head.update()
    list.updateButtons()
    scenario.updateButtons()
  }
  const shared = {
    server,
    items,
    state,
    run,
    tell,
    announce,
    stop: () => server.delete('/runs'),
    watch: (ids, on) => server.post('/watch', { ids, on }),
    chooseMisbehaviour: () => misbehaviours.open(items.get(scenario.id)),
  }
  const head = createHead(shared)
  const list = createList(shared)
  const scenario = createScenario(shared)
  const misbehaviours = createMisbehaviours(shared)
  at('head').replaceChildren(head.element)
  at('list').replaceChildren(list.element)
  at('main').replaceChildren(scenario.element)
  document.body.append(misbehaviours.element)

  const route = () => {
    if (/^#code=/.test(location.hash)) return start()
    const [, id, step] = /^#\/s\/(\w+)(?:\/([\d.]+))?/.exec(location.hash) ?? []
    const first = [...items.values()][0]
    const chosen = items.has(id) ? id : location.hash === '' ? first?.id : undefined
    document.body.classList.toggle('at-scenario', items.has(id))
    list.select(chosen)
    scenario.show(chosen, step)
  }
  addEventListener('hashchange', route)

  const take = (changed) => {
    for (const item of changed) items.set(item.id, { ...items.get(item.id), ...item })
    list.update(changed)
    for (const item of changed) scenario.changed(item)
    tell()
  }
  const load = async () => {
    const { items: all, runs, misbehaviours: known } = await server.get('/state')
    const ids = new Set(all.map(({ id }) => id))
    list.remove([...items.keys()].filter((id) => !ids.has(id)))
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id)
    state.runs = runs
    misbehaviours.set(known)
    take(all)
    route()
  }
  follow(server, {
    hello: (resumed) => {
      if (!resumed) load().catch(() => {})
    },
    entry: (event) => {
      if (event.kind === 'items') take(event.items)
      else if (event.kind === 'progress') scenario.progress(event.id)
      else if (event.kind === 'runs') {
        state.runs = event.runs
        tell()
      } else if (event.kind === 'gone') {
        for (const id of event.ids) items.delete(id)
        list.remove(event.ids)
        tell()
        scenario.gone(event.ids)
      }
    },
    status: (isLive) => {
      state.live = isLive
      if (isLive) at('banner').replaceChildren()
      else lost()
      if (isLive) scenario.reconnected()
      tell()
    },
    refused: () => {
      server.get('/session').catch((refused) => {
        if (refused.status === 401) signedOut()
      })
    },
  })
  addEventListener('beforeunload', (event) => {
    if (scenario.hasDrafts()) event.preventDefault()
  })
  return { load }
}

const lost = () =>
  banner(
    'Connection lost.',
    'The command run --ui does not answer. What you have typed is kept in this tab. The page connects again by itself.',
  )

const signedOut = (
  problem = 'This browser has not opened the link, or the command was started anew.',
) =>
  banner(
    'Signed out.',
    problem,
    ' Open the link that run --ui printed; Enter in its terminal prints another.',
  )

const banner = (title, ...says) =>
  at('banner').replaceChildren(h('div', { class: 'banner' }, h('b', {}, title), ' ', says))

const announce = (text) => {
  setText(at('news'), text)
  at('news').classList.add('shown')
  clearTimeout(announce.timer)
  announce.timer = setTimeout(() => at('news').classList.remove('shown'), 6000)
}

start()
