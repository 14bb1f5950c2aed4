import { countsOf, type Result } from '../runner/verdict.ts'
import type { Reporter } from './report.ts'
import { terminal } from './terminal.ts'

export type LiveOutputOptions = Readonly<{
  /** Number of results to come. */
  total: number
  /** Whether lines name the target. */
  hosts?: boolean
  reporter?: Reporter | undefined
}>

/**
 * Prints results in the order of the list, each as soon as all before it have arrived; on a terminal
 * also the progress, elsewhere a line with it whenever nothing was printed for ten seconds.
 */
export const liveOutput = (
  out: NodeJS.WriteStream,
  { total, hosts = false, reporter = 'themes' }: LiveOutputOptions,
) => {
  const { result: line, theme, progress } = terminal({ stream: out, hosts })
  const results: Result[] = []
  let shown = 0
  let begun = 0
  let written = 0
  const write = (text: string) => {
    written = Date.now()
    out.write(text)
  }
  const show: Readonly<Record<Reporter, (result: Result) => void>> = {
    list: (result) => write(`${line(result, results[shown - 1])}\n`),
    themes: (result) => {
      const before = results[shown - 1]
      if (before !== undefined && before.theme !== result.theme) closeTheme()
      if (shown + 1 === total) {
        shown += 1
        closeTheme()
        shown -= 1
      }
    },
    dot: ({ verdict }) => {
      write(dots[verdict])
      if ((shown + 1) % 80 === 0 || shown + 1 === total) write('\n')
    },
    quiet: () => {},
  }
  const closeTheme = () => {
    write(`${theme(results.slice(begun, shown))}\n`)
    begun = shown
  }
  const sayProgress = () => {
    if (shown === total) return clearInterval(heartbeat)
    if (out.isTTY || reporter === 'quiet' || Date.now() - written < 10_000) return
    const done = results.filter((it) => it !== undefined)
    const { failed } = countsOf(done)
    write(`… ${done.length} of ${total} done${failed > 0 ? `, ${failed} failed` : ''}\n`)
  }
  const heartbeat = setInterval(sayProgress, 1000).unref()
  written = Date.now()
  return (result: Result, index: number): void => {
    results[index] = result
    if (out.isTTY) out.write('\r\u001b[K')
    for (let next = results[shown]; next !== undefined; next = results[shown]) {
      show[reporter](next)
      shown += 1
    }
    const done = results.filter((it) => it !== undefined)
    if (done.length === total) clearInterval(heartbeat)
    if (out.isTTY && reporter !== 'dot' && done.length < total) out.write(progress(done, total))
  }
}

const dots = { passed: '.', failed: 'F', skipped: 's' }
