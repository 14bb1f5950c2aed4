import { lookup } from 'node:dns/promises'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** An address of a host name. */
export type Address = Readonly<{ address: string; family: 4 | 6 }>

/** One GET to a checked address. */
export type Fetch = Readonly<{
  url: URL
  /** The address to connect to, whatever the name resolves to by then (DNS rebinding). */
  to: Address
  signal: AbortSignal
}>

/** One POST to a checked address. */
export type Message = Fetch & Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

/** An answer to a GET. */
export type Fetched = Readonly<{ status: number; text: string }>

export type OutboundOptions = Readonly<{
  /** Allowed destinations: only this machine, or public addresses as well. Never a private network. */
  allow?: 'loopback' | 'public'
  resolve?: (hostname: string) => Promise<readonly Address[]>
  /** Returns the status; does not follow redirects. */
  send?: (message: Message) => Promise<number>
  /** Returns the answer; does not follow redirects. */
  read?: (fetch: Fetch) => Promise<Fetched>
  /** Timeout for an answer, in milliseconds. */
  timeout?: number
}>

/** Why a message was not sent, as a text for the journal. Contains nothing of the receiver's answer. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
  /** Whether a further attempt is useless. */
  readonly lasting: boolean
  constructor(reason: string, lasting = false) {
    super(reason)
    this.lasting = lasting
  }
}

/** Sends to URLs that callers supply: callbacks and signals, protected against misuse (THR-09). */
export type Outbound = Readonly<{
  /** @returns why the URL itself is not allowed; undefined when it is allowed */
  objection: (url: string) => string | undefined
  /**
   * @returns the status of the answer, whatever it is
   * @throws {NotSent} when no connection was made, or no answer came
   */
  post: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    ended: AbortSignal,
  ) => Promise<number>
  /**
   * @returns the answer, whatever its status
   * @throws {NotSent} when no connection was made, or no answer came, or one of more than 64 KiB
   */
  get: (url: string, ended: AbortSignal) => Promise<Fetched>
}>

export const createOutbound = ({
  allow = 'loopback',
  resolve = resolveHost,
  send = sendMessage,
  read = readAnswer,
  timeout = 5000,
}: OutboundOptions = {}): Outbound => {
  const mayGoTo = ({ address, family }: Address) =>
    isLoopback(address, family) || (allow === 'public' && isPublic(address, family))

  const objection = (text: string): string | undefined => {
    if (!URL.canParse(text)) return 'expected a URL'
    const url = new URL(text)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'expected http or https'
    if (url.username !== '' || url.password !== '') return 'expected a URL without credentials'
    const host = hostOf(url)
    const family = isIP(host)
    if (family === 0) return undefined
    if (!isCanonicalHost(text, url)) return 'expected the address in its usual notation'
    return mayGoTo({ address: host, family: family as 4 | 6 }) ? undefined : notAllowed(allow)
  }

  /** Checks the URL and its addresses, then connects. */
  const reach = async <Result>(
    text: string,
    ended: AbortSignal,
    connect: (fetch: Fetch) => Promise<Result>,
  ): Promise<Result> => {
    const why = objection(text)
    if (why !== undefined) throw new NotSent(why, true)
    const url = new URL(text)
    const addresses = await addressesOf(hostOf(url), resolve)
    // One disallowed address is sufficient to reject the name, because a connection may use any of
    // them.
    if (!addresses.every(mayGoTo)) throw new NotSent(notAllowed(allow), true)
    const [to] = addresses
    if (to === undefined) throw new NotSent('the host name has no address')
    const signal = AbortSignal.any([ended, AbortSignal.timeout(timeout)])
    try {
      return await connect({ url, to, signal })
    } catch (failed) {
      if (failed instanceof NotSent) throw failed
      throw new NotSent(signal.aborted ? 'no answer in time' : reasonOf(failed))
    }
  }

  return {
    objection,
    post: (text, headers, body, ended) =>
      reach(text, ended, (fetch) => send({ ...fetch, headers, body })),
    get: (text, ended) => reach(text, ended, read),
  }
}

const notAllowed = (allow: 'loopback' | 'public') =>
  allow === 'loopback'
    ? 'expected an address of this machine'
    : 'expected an address that is public, or of this machine'

const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '')

/**
 * Whether an address has its usual notation: `URL` parses 2130706433, 0x7f.1 and 017700000001 as
 * 127.0.0.1.
 */
const isCanonicalHost = (text: string, { hostname }: URL) =>
  /^[a-z]+:\/\/([^/?#]*)/i.exec(text.trim())?.[1]?.replace(/:\d*$/, '').toLowerCase() === hostname

const addressesOf = async (
  host: string,
  resolve: NonNullable<OutboundOptions['resolve']>,
): Promise<readonly Address[]> => {
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family: family as 4 | 6 }]
  try {
    return await resolve(host)
  } catch {
    throw new NotSent('the host name cannot be resolved')
  }
}

const reasonOf = (failed: unknown) => {
  const { code } = failed as { code?: unknown }
  return typeof code === 'string' ? `no connection: ${code}` : 'no connection'
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** `BlockList` treats an IPv4-mapped IPv6 address as its IPv4 address; here such an address is rejected. */
const isLoopback = (address: string, family: 4 | 6) =>
  !isMapped(address) && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')

const isMapped = (address: string) => /^::ffff:/i.test(address)

/**
 * Addresses that are not on the public internet (RFC 6890 and its registries), including cloud
 * metadata.
 */
const reserved = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  // The metadata and health address of Azure.
  ['168.63.129.16', 32],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  reserved.addSubnet(net, prefix, 'ipv4')
}

/**
 * Only 2000::/3 of IPv6 is allocated; this excludes parts of it that embed IPv4 addresses or are for
 * examples.
 */
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')
const carriers = new BlockList()
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  carriers.addSubnet(net, prefix, 'ipv6')
}

const isPublic = (address: string, family: 4 | 6) =>
  family === 4
    ? !reserved.check(address, 'ipv4')
    : global.check(address, 'ipv6') && !carriers.check(address, 'ipv6')

const resolveHost = async (hostname: string): Promise<readonly Address[]> =>
  (await lookup(hostname, { all: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }))

/** Connects to the checked address; `Host` and the certificate check use the name. */
const sendMessage = ({ headers, body, ...fetch }: Message): Promise<number> =>
  new Promise((resolve, reject) => {
    const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)) }
    const outgoing = open(fetch, 'POST', fields, (answer) => {
      answer.destroy()
      resolve(answer.statusCode ?? 0)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const largestAnswer = 64 * 1024

const readAnswer = (fetch: Fetch): Promise<Fetched> =>
  new Promise((resolve, reject) => {
    const outgoing = open(fetch, 'GET', { accept: 'application/json' }, (answer) => {
      const pieces: Buffer[] = []
      let bytes = 0
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > largestAnswer) answer.destroy(new NotSent('the answer is larger than 64 KiB'))
        else pieces.push(piece)
      })
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })

const open = (
  { url, to, signal }: Fetch,
  method: 'GET' | 'POST',
  headers: Readonly<Record<string, string>>,
  receive: (answer: IncomingMessage) => void,
): ClientRequest => {
  const { request } =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http')
  return request(
    url,
    {
      method,
      headers,
      signal,
      agent: false,
      lookup: (_hostname, options, done) => {
        if (typeof options === 'object' && options.all) done(null, [to])
        else done(null, to.address, to.family)
      },
    },
    receive,
  )
}
