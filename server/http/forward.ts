import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { same } from '../signing/secrets.ts'
import type { Answer, HttpRequest } from './message.ts'

/** The header field of a request that one process forwards to another: key, sender, body limit. */
const field = 'x-lumoauth-harness-forwarded'

/** The header field of an answer of a process that does not own the tenant. */
const movedField = 'x-lumoauth-harness-moved'

/** A request that another process has forwarded. */
export type Forwarded = Readonly<{ by: string; request: HttpRequest }>

/** How a process forwards requests to the owner of their tenant. */
export type Forwarding = Readonly<{
  /** Reads what the sender says. Undefined for a request of a client, whatever it claims. */
  read: (request: HttpRequest) => Forwarded | undefined
  /**
   * Sends a request to another process.
   * @returns its answer, or why there is none: `moved` when the request was not handled there,
   *   `broken` when that is not known
   */
  send: (
    origin: string,
    request: HttpRequest,
    gone: AbortSignal,
  ) => Promise<Answer | 'moved' | 'broken'>
  close: () => void
}>

/** What a process answers to another when it does not own the tenant. */
export const movedAnswer = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, [movedField]: '1' },
})

/** @param key what all processes of a store share; @param id this process */
export const createForwarding = (key: string, id: string): Forwarding => {
  const { Agent, request: open } = process.getBuiltinModule('node:http')
  const agent = new Agent({ keepAlive: true })
  return {
    read: (request) => {
      const [given = '', by = '', over = ''] = request.headers[field]?.split(' ') ?? []
      if (!same(given, key)) return undefined
      const { [field]: _, ...headers } = request.headers
      return {
        by,
        request: { ...request, headers, ...(over === '' ? {} : { bodyOver: Number(over) }) },
      }
    },
    send: (origin, { method, path, query, headers, body, bodyOver }, gone) =>
      new Promise((resolve) => {
        const search = query.size === 0 ? '' : `?${query}`
        const sent = open(origin + path + search, {
          agent,
          method,
          signal: gone,
          headers: {
            ...without(headers, ownFields),
            [field]: `${key} ${id}${bodyOver === undefined ? '' : ` ${bodyOver}`}`,
            ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        })
        sent.once('error', ({ code }: NodeJS.ErrnoException) =>
          resolve(code === 'ECONNREFUSED' ? 'moved' : 'broken'),
        )
        sent.once('response', (response) => {
          if (response.headers[movedField] === undefined) return resolve(readAnswer(response))
          response.resume()
          resolve('moved')
        })
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect', 'te']

/** Of the forwarded message itself; its body is written anew. */
const ownFields = [...hopByHop, 'content-length']

const readAnswer = async (response: IncomingMessage): Promise<Answer | 'broken'> => {
  const { statusCode: status = 502 } = response
  const fields = Object.entries(response.headersDistinct).map(
    ([name, values]) => [name, values?.join(', ') ?? ''] as const,
  )
  const headers = without(Object.fromEntries(fields), [...ownFields, 'date'])
  if (headers['content-type']?.startsWith('text/event-stream')) {
    return { status, headers, body: Readable.toWeb(response) }
  }
  try {
    const pieces: Buffer[] = []
    for await (const piece of response) pieces.push(piece)
    const body = Buffer.concat(pieces).toString('utf8')
    return { status, headers, ...(body === '' ? {} : { body }) }
  } catch {
    return 'broken'
  }
}

const without = (headers: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
