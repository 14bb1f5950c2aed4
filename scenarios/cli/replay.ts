import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FlawedFile, parseYaml } from '../../server/wire/yaml-source.ts'
import { Recording, replaying } from '../checks/recording.ts'
import { CannotRun } from './cannot-run.ts'
import { interruption } from './interruption.ts'
import { readOptions, wholeNumber } from './options.ts'

const help = `Answers as an issuer did when check issuer --record listened.

Usage: lumoauth-harness replay FILE [--port N]

The n-th request for a path is answered as the n-th was; secrets were taken out when it was recorded.

Example: lumoauth-harness replay staging.recording.json --port 4400
`

/** `lumoauth-harness replay`. @returns the exit code */
export const replay = async (args: string[]): Promise<number> => {
  const { values, positionals } = readOptions(args, {
    port: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [name] = positionals
  if (name === undefined) throw new CannotRun('expected: lumoauth-harness replay FILE')
  const recording = await recordingIn(name)
  const answer = replaying(recording)
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request
    const { status, headers, body } = answer(method, url, originOf())
    request.resume()
    response.writeHead(status, headers).end(body)
  })
  const originOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.listen(wholeNumber('port', values.port, 0) ?? 0, '127.0.0.1')
  await once(server, 'listening')
  process.stdout.write(
    `${recording.target}, recorded ${recording.recorded}, answers at ${originOf()}; Ctrl-C ends it\n`,
  )
  using signal = interruption()
  await once(signal, 'abort')
  server.closeAllConnections()
  server.close()
  return 0
}

const recordingIn = async (name: string): Promise<Recording> => {
  const text = await readFile(name, 'utf8').catch(() => {
    throw new CannotRun(`there is no ${name}`)
  })
  try {
    return parseYaml(name, text, Recording)
  } catch (error) {
    throw error instanceof FlawedFile ? new CannotRun(error.message.split('\n')[0] ?? '') : error
  }
}
