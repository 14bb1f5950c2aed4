/** The parts of a run as the server draws it, with the components of the HTML report. */
export const fetchView = (id, part) =>
  new Promise((resolve) => {
    // The browser parses the answer: no text of ours becomes markup (Trusted Types).
    const request = new XMLHttpRequest()
    request.open('GET', `/api/scenarios/${id}/view?part=${part}`)
    request.responseType = 'document'
    request.timeout = 15_000
    const end = () => {
      const { status, response } = request
      if (status !== 200 || response === null) return resolve(undefined)
      const parts = [...response.querySelectorAll('[data-part]')]
      if (parts.length === 0) return resolve(undefined)
      resolve(Object.fromEntries(parts.map((it) => [it.dataset.part, document.adoptNode(it)])))
    }
    request.onload = end
    request.onerror = end
    request.ontimeout = end
    request.send()
  })
