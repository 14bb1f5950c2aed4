import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { createHarness } from '../../server/index.ts'
import { openWorld, harness as world } from '../server/bad-input-world.ts'
import { figure } from '../support/figure.ts'
import { type Garbage, garbageFor, pick, type Random, scrambled, text } from './garbage.ts'
import { randomFrom, size } from './sizes.ts'
import { mebibytes, memory } from './steady.ts'

const connections = size('FUZZ_CONNECTIONS', 2_000, 100_000)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const atOnce = 20

it('no random bytes on a socket make the server crash, hang, answer 5xx or keep expired records', async () => {
  const random = randomFrom(seed)
  const bugs: unknown[] = []
  await using harness = await createHarness({
    algorithm: 'ES256',
    controlToken: world.controlToken,
    misbehaviours: [],
    onBug: (bug) => bugs.push(bug),
  })
  const ports = [harness.issuer, harness.api].map((origin) => Number(new URL(origin).port))
  // Credentials of another tenant are invalid here, except for the control token.
  const here = await openWorld()
  harness.createTenant({ tenant: here.tenant.tenant })
  const garbage = await garbageFor(here, random)
  const statuses: Record<string, number> = {}
  const wrong: string[] = []
  const readings: number[] = []

  for (let sent = 0; sent < connections; sent += atOnce) {
    const all = Array.from({ length: atOnce }, async () => {
      const bytes = asBytes(random, garbage())
      const answer = await said(random, pick(random, ports), bytes)
      for (const [, status = ''] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status >= '500' && status !== '501') wrong.push(`${status} to ${bytes}`)
      }
    })
    await Promise.all(all)
    if (sent % 400 === 0) {
      expect((await fetch(`${harness.issuer}/healthz`)).status).toBe(200)
      readings.push(memory())
    }
  }

  expect({ seed, wrong: wrong.slice(0, 3), bugs: bugs.slice(0, 3) }).toEqual({
    seed,
    wrong: [],
    bugs: [],
  })
  const first = readings[1] ?? 0
  const last = readings.at(-1) ?? 0
  figure('garbage over sockets', {
    connections,
    '5xx': 0,
    bugs: 0,
    'statuses seen': Object.keys(statuses).join(' '),
    'MiB early and at the end': `${mebibytes(first)} and ${mebibytes(last)}`,
    seed,
  })
  expect(last).toBeLessThan(first * 1.25 + 8 * 2 ** 20)
  await world.close()
})

/** A request as bytes, most of the time malformed. */
const asBytes = (random: Random, { method, path, search, headers = {}, body = '' }: Garbage) => {
  const chunks = random() < 0.3
  const length = Buffer.byteLength(body) + (random() < 0.05 ? Math.floor(random() * 9) - 4 : 0)
  const fields = Object.entries({
    host: '127.0.0.1',
    connection: 'close',
    ...headers,
    ...(chunks ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
  }).map(([name, value]) => `${name}: ${value}`)
  const head = [
    `${method} ${encodeURI(path.toWellFormed())}?${search} HTTP/1.1`,
    ...fields,
    '',
    '',
  ].join('\r\n')
  const whole = head + (chunks ? chunked(random, body) : body)
  if (random() < 0.05) return text(random, 400)
  return random() < 0.4 ? scrambled(random, whole) : whole
}

const chunked = (random: Random, body: string): string => {
  const bytes = Buffer.from(body).toString('latin1')
  const parts: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() * 400)
    const part = bytes.slice(at, at + size)
    const claimed = random() < 0.05 ? pick(random, [0, 2 ** 40, part.length + 1]) : part.length
    parts.push(
      `${claimed.toString(16)}${random() < 0.05 ? `;${text(random, 9)}` : ''}\r\n${part}\r\n`,
    )
    at += size
  }
  return `${parts.join('')}0\r\n\r\n`
}

/** Sends it in pieces, closes at some point, and receives what comes within half a second. */
const said = (random: Random, port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => socket.destroy(), 500)
    let heard = ''
    socket.setEncoding('latin1').on('data', (data) => {
      heard += data
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(heard)
    })
    const buffer = Buffer.from(bytes)
    const at = random() < 0.3 ? Math.floor(random() * buffer.length) : buffer.length
    socket.write(buffer.subarray(0, at))
    if (random() < 0.05) socket.end()
    else if (at < buffer.length) setImmediate(() => socket.write(buffer.subarray(at)))
  })
