/** Aborts on the first SIGINT or SIGTERM; a second one ends the process as usual. */
export const abortOnSignal = (): AbortSignal & Disposable => {
  const controller = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    off()
    process.stderr.write(`\n${signal}: completing open tasks; a second signal ends at once\n`)
    controller.abort()
  }
  const off = () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return Object.assign(controller.signal, { [Symbol.dispose]: off })
}
