import type { Result } from '../runner/verdict.ts'
import { terminal } from './terminal.ts'

/**
 * Prints results in the order of the list, each as soon as all before it have arrived; on a
 * terminal also the progress.
 * @param total number of results to come
 * @param hosts whether lines name the target
 */
export const liveOutput = (out: NodeJS.WriteStream, total: number, hosts = false) => {
  const { result: line, progress } = terminal({ stream: out, hosts })
  const results: Result[] = []
  let shown = 0
  return (result: Result, index: number): void => {
    results[index] = result
    if (out.isTTY) out.write('\r\u001b[K')
    for (let next = results[shown]; next !== undefined; next = results[shown]) {
      out.write(`${line(next, results[shown - 1])}\n`)
      shown += 1
    }
    const done = results.filter((it) => it !== undefined)
    if (out.isTTY && shown < total) out.write(progress(done, total))
  }
}
