/** Maximum milliseconds without an event. The server sends one every 5 s. */
const longestSilence = 13_000
/** Maximum milliseconds until the first event. A proxy that buffers sends none. */
const firstEventWithin = 4000
const pollEvery = 1500
const pollHidden = 5000
/** Maximum number of event streams of one browser per origin. HTTP/1.1 allows six connections in total. */
const mostStreams = 3

/**
 * Follows the events of a tenant. One tab of a browser leads: it opens the event stream and sends the events
 * to the other tabs. The leader polls instead when the browser has too many streams, when a proxy buffers
 * events, or when Web Locks are missing (plain HTTP to another host).
 *
 * @param on `hello` (resumed), `entry`, `pulse`, `status` (live or not), `refused`
 */
export const follow = (server, on) => {
  const { base } = server
  const over = new AbortController()
  const tabs = new BroadcastChannel(`lumoauth-live ${base}`)
  let lastEventId = ''
  let heardAt = performance.now()
  /** The current run, if this tab leads. */
  let leading
  let isLive
  let lastPulse
  /** Whether a proxy buffers the events. */
  let isBuffered = false

  const receive = ({ kind, id, data }) => {
    if (id) lastEventId = id
    if (kind === 'status') isLive = data
    if (kind === 'pulse') lastPulse = data
    on[kind]?.(data)
  }
  const tell = (kind, data, id) => {
    heardAt = performance.now()
    const message = { kind, data, id }
    receive(message)
    tabs.postMessage(message)
  }
  const tellStatus = (status) => {
    if (status !== isLive) tell('status', status)
  }

  tabs.onmessage = ({ data: message }) => {
    if (message.kind === 'who') {
      if (!leading || isLive === undefined) return
      tabs.postMessage({ kind: 'status', data: isLive })
      if (lastPulse) tabs.postMessage({ kind: 'pulse', data: lastPulse })
    } else if (!leading) {
      heardAt = performance.now()
      receive(message)
    }
  }

  /** @returns why the stream ended: `silent` (no first event), `lost`, `refused` or `stopped` */
  const stream = (stopped) =>
    new Promise((resolve) => {
      const query = lastEventId === '' ? '' : `?last_event_id=${encodeURIComponent(lastEventId)}`
      const source = new EventSource(`${base}/events${query}`)
      const openedAt = performance.now()
      let hasBegun = false
      let hasFailed = false
      heardAt = openedAt
      const end = (why) => {
        source.close()
        clearInterval(watch)
        stopped.removeEventListener('abort', stop)
        resolve(why)
      }
      const stop = () => end('stopped')
      stopped.addEventListener('abort', stop)
      const watch = setInterval(() => {
        const now = performance.now()
        if (!hasBegun && !hasFailed && now - openedAt > firstEventWithin) end('silent')
        else if (hasBegun && isLive && now - heardAt > longestSilence) end('lost')
      }, 1000)
      for (const kind of ['hello', 'entry', 'pulse']) {
        source.addEventListener(kind, (event) => {
          const data = JSON.parse(event.data)
          if (kind === 'hello') {
            hasBegun = true
            tellStatus(true)
          }
          tell(kind, kind === 'hello' ? data.resumed : data, event.lastEventId)
        })
      }
      source.onerror = () => {
        hasFailed = true
        tellStatus(false)
        if (source.readyState !== EventSource.CLOSED) return
        tell('refused')
        end('refused')
      }
    })

  /** Polls once. @returns whether the server answered */
  const poll = async () => {
    try {
      const query = `?last_event_id=${encodeURIComponent(lastEventId)}`
      const news = await server.get(`/news${query}`)
      const isNew = lastEventId === '' || !news.resumed || isLive !== true
      tellStatus(true)
      if (isNew) tell('hello', news.resumed)
      for (const entry of news.entries) tell('entry', entry)
      tell('pulse', news.pulse, news.last_event_id)
      return true
    } catch (refused) {
      tellStatus(false)
      if (refused.code !== 'unreachable') tell('refused')
      return false
    }
  }

  const lead = async (stopped) => {
    leading = stopped
    while (!stopped.aborted) {
      const leave = isBuffered ? undefined : await takeStream()
      if (leave) {
        const why = stopped.aborted ? 'stopped' : await stream(stopped)
        leave()
        if (why === 'silent') isBuffered = await poll()
        else if (why === 'lost') tellStatus(false)
        else if (why === 'refused') await pause(2000, stopped)
      } else {
        await poll()
        await pause(document.hidden ? pollHidden : pollEvery, stopped)
      }
    }
    if (leading === stopped) leading = undefined
  }

  /** Leads as soon as no other tab does. `steal`: takes the lead from a tab that is silent. */
  const join = async (steal = false) => {
    const mine = new AbortController()
    const stop = () => mine.abort()
    over.signal.addEventListener('abort', stop)
    try {
      await navigator.locks.request(
        `lumoauth-leader ${base}`,
        steal ? { steal } : { signal: over.signal },
        () => lead(mine.signal),
      )
    } catch {
      // Another tab leads now, or this one has stopped.
    }
    mine.abort()
    over.signal.removeEventListener('abort', stop)
    if (!over.signal.aborted) join()
  }

  /** A browser can freeze the leading tab, which then sends nothing. */
  const watchLeader = setInterval(() => {
    if (leading || performance.now() - heardAt < longestSilence * 2) return
    heardAt = performance.now()
    join(true)
  }, 1000)

  if (navigator.locks) {
    join()
    tabs.postMessage({ kind: 'who' })
  } else {
    lead(over.signal)
  }
  return () => {
    over.abort()
    clearInterval(watchLeader)
    tabs.close()
  }
}

/** @returns a function that frees the place. Undefined when the browser has too many streams */
const takeStream = async () => {
  if (!navigator.locks) return undefined
  for (let at = 1; at <= mostStreams; at += 1) {
    const leave = await new Promise((resolve) => {
      navigator.locks.request(`lumoauth-stream ${at}`, { ifAvailable: true }, (lock) => {
        if (lock === null) return resolve(undefined)
        return new Promise((release) => resolve(release))
      })
    })
    if (leave) return leave
  }
  return undefined
}

const pause = (time, stopped) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, time)
    stopped.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
