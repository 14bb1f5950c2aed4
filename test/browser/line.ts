import { connect, createServer, type Socket } from 'node:net'

/** A line to the harness that can be cut and mended, or frozen half-open, as networks do. */
export const lineTo = async (issuer: string) => {
  const { port } = new URL(issuer)
  const sockets = new Set<Socket>()
  let broken = false
  let frozen = false
  const server = createServer((near) => {
    if (broken) return near.destroy()
    const far = connect(Number(port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
    }
    if (frozen) near.pause()
    else near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cut = () => {
    broken = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    cut,
    /** Both ends stay open, and nothing gets through: what a laptop finds after its sleep. */
    freeze: () => {
      frozen = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    /** New connections get through again; the old ones stay as they are. */
    thaw: () => {
      frozen = false
    },
    mend: () => {
      broken = false
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
