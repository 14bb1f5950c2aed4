import { connect, type Socket } from 'node:net'

export type Answer = Readonly<{ status: number; body: string }>

/** A server may close a connection that is idle for longer; then a new one is opened. */
const idleLimit = 4000

/** A response that takes longer is an error. */
const patience = 30_000

/**
 * One keep-alive connection, one request at a time. The client does as little as possible, so that
 * the server is what is measured.
 */
export class Connection {
  readonly #url: URL
  #socket: Socket | undefined
  #usedAt = 0
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (failed: Error) => void } | undefined

  constructor(origin: string) {
    this.#url = new URL(origin)
  }

  /** @param headers whole lines, each with its line break */
  ask(method: string, path: string, headers: string, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#opened().write(
        `${method} ${path} HTTP/1.1\r\nhost: ${this.#url.host}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #opened(): Socket {
    if (this.#socket !== undefined && performance.now() - this.#usedAt < idleLimit) {
      return this.#socket
    }
    this.#socket?.removeAllListeners().on('error', () => {})
    this.#socket?.destroy()
    const socket = connect(Number(this.#url.port), this.#url.hostname)
    socket.setNoDelay(true)
    socket.setTimeout(patience, () => socket.destroy(new Error('no answer came in time')))
    socket.on('data', (data) => this.#hear(data))
    socket.on('error', (failed) => this.#fail(failed))
    socket.on('close', () => {
      this.#socket = undefined
      this.#fail(new Error('the server hung up'))
    })
    this.#received = Buffer.alloc(0)
    this.#socket = socket
    return socket
  }

  #hear(data: Buffer): void {
    const received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    this.#received = received
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = received.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = Number(
      /\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? (status === 204 ? 0 : -1),
    )
    if (length === -1) {
      this.#fail(new Error(`an answer without a length: ${head}`))
      return
    }
    if (received.length < end + 4 + length) return
    this.#received = Buffer.alloc(0)
    this.#usedAt = performance.now()
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status, body: received.toString('utf8', end + 4, end + 4 + length) })
  }

  #fail(failed: Error): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(failed)
  }
}
