import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use after every expired record is deleted. */
export const memory = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

export const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)
