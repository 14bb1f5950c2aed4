import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { checkIssuer } from '../../../../scenarios/cli/check/issuer.ts'

const servers: Server[] = []
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-input-'))
  process.env.BAD_INPUT_SECRET = 'a-secret'
})
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const listening = async (server: Server): Promise<string> => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering = async (listener: RequestListener) =>
  `http://${await listening(createServer(listener))}`

/** The output of `check issuer` for an unusable issuer. */
const saidOf = async (url: string): Promise<string> => {
  const file = join(folder, 'target.yaml')
  writeFileSync(
    file,
    `issuer: { url: "${url}", tenant: acme }
agents: [{ name: bot, client_id: bot, client_secret_env: BAD_INPUT_SECRET }]
limits: { timeout: 1 }
`,
  )
  try {
    await checkIssuer([], { target: file, allowWrites: false, concurrency: 4 })
  } catch (error) {
    expect((error as Error).name).toBe('UsageError')
    return (error as Error).message
  }
  throw new Error('it found nothing wrong')
}

const metadata = (origin: string) =>
  JSON.stringify({ issuer: origin, token_endpoint: `${origin}/t/acme/api/v1/oauth/token` })

describe('check issuer exits with 2 and one line', { timeout: 60_000 }, () => {
  it('when nothing listens', async () => {
    const url = await answering(() => {})
    servers.splice(0)[0]?.close()

    expect(await saidOf(url)).toMatch(/^127\.0\.0\.1:\d+ refuses connections/)
  })

  it('when the issuer answers HTML with an error', async () => {
    const url = await answering((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    })

    expect(await saidOf(url)).toContain('502 with text/html instead of JSON')
  })

  it('when the issuer answers HTML with 200', async () => {
    const url = await answering((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please accept</h1>')
    })

    expect(await saidOf(url)).toContain('with text/html instead of JSON')
  })

  it('when every answer is a redirect, which it does not follow', async () => {
    let asked = 0
    const url = await answering((_, response) => {
      asked += 1
      response.writeHead(302, { location: 'https://evil.example/round/and/round' }).end()
    })

    expect(await saidOf(url)).toContain(
      '302, a redirect to https://evil.example, which is not followed',
    )
    expect(asked).toBe(2)
  })

  it('when an answer has 50 MB', async () => {
    const piece = Buffer.alloc(1024 * 1024, 32)
    const url = await answering(async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      for (let sent = 0; sent < 50 && !response.destroyed; sent++) {
        if (!response.write(piece))
          await new Promise((go) => response.once('drain', go).once('close', go))
      }
      response.end()
    })

    expect(await saidOf(url)).toMatch(/answered with more than 2 MiB; the rest was not read$/)
  })

  it('when no answer arrives', async () => {
    const url = await answering(() => {})

    expect(await saidOf(url)).toMatch(/gave no answer within 1 s$/)
  })

  it('when the credentials are wrong', async () => {
    const url = await answering(({ url = '' }, response) => {
      const wrong = JSON.stringify({ error: 'invalid_client', error_description: 'no such client' })
      const known = url.includes('well-known')
      response
        .writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
        .end(known ? metadata('http://issuer.test') : wrong)
    })

    const said = await saidOf(url)

    expect(said).toContain(
      'the agent bot could not authenticate: 401 invalid_client (no such client)',
    )
    expect(said).not.toContain('a-secret')
  })

  it('when the certificate is not trusted', async ({ skip }) => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [
      string,
      string,
    ]
    try {
      const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'rsa:2048']
      execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], {
        stdio: 'ignore',
      })
    } catch {
      skip('openssl is not on this machine')
    }
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) })

    expect(await saidOf(`https://${await listening(server as unknown as Server)}`)).toMatch(
      /^the certificate of 127\.0\.0\.1:\d+ is not trusted/,
    )
  })
})
