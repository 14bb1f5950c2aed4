import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Systems give ports from 32 768 on to sockets that ask for any: a lower one is not taken meanwhile. */
const [first, last] = [20_000, 32_767]

/** Free ports of 127.0.0.1, two by default. */
export const freePorts = async (count = 2): Promise<number[]> => {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(first, last + 1)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

export const freePort = async (): Promise<number> => (await freePorts(1))[0] as number

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
