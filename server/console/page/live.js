/**
 * Follows what happens in a tenant. The browser takes a lost stream up by itself and names the last
 * event it saw; where it has given up, this begins anew with the same name.
 *
 * @param on `hello` (resumed), `entry`, `pulse`, `status` (live or not), `createRefusal`
 */
export const follow = (base, on) => {
  let lastEventId = ''
  let source
  let timer

  const open = () => {
    const query = lastEventId === '' ? '' : `?last_event_id=${encodeURIComponent(lastEventId)}`
    source = new EventSource(`${base}/events${query}`)
    const heard = (act) => (event) => {
      if (event.lastEventId !== '') lastEventId = event.lastEventId
      act(JSON.parse(event.data))
    }
    source.addEventListener(
      'hello',
      heard(({ resumed }) => {
        on.status(true)
        on.hello(resumed)
      }),
    )
    source.addEventListener('entry', heard(on.entry))
    source.addEventListener('pulse', heard(on.pulse))
    source.onerror = () => {
      on.status(false)
      if (source.readyState === EventSource.CLOSED) {
        on.refused()
        timer = setTimeout(open, 2000)
      }
    }
  }
  open()
  return () => {
    clearTimeout(timer)
    source.close()
  }
}
