import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startCommand } from '../../../scenarios/cli/commands/start.ts'
import { createProgram } from '../../../scenarios/cli/program.ts'
import { UsageError } from '../../../server/usage-error.ts'
import { root } from '../../support/running.ts'

const parse = (args: readonly string[]) => createProgram(args[0]).parseAsync(args, { from: 'user' })

const invalid = (option: string, text: string, expected: string) =>
  `option '${option}' argument '${text}' is invalid. Expected ${expected}`

describe('the program', () => {
  it.each([
    [['rnu'], "unknown command 'rnu' (Did you mean run?)"],
    [['zebra'], "unknown command 'zebra' (see --help)"],
    [['check', 'isuer'], "unknown command 'isuer' (Did you mean issuer?)"],
    [['scenario', 'old', 'x'], "unknown command 'old' (see --help)"],
    [['scenario', 'new'], "missing required argument 'name' (see --help)"],
    [['explain'], "missing required argument 'rule' (see --help)"],
    [['diff-contract'], "missing required argument 'file' (see --help)"],
    [
      ['schema', 'folder', 'surplus'],
      "too many arguments for 'schema'. Expected 1 argument but got 2: folder, surplus. (see --help)",
    ],
    [['run', '--hots', 'msw'], "unknown option '--hots' (Did you mean --host?)"],
    [['run', '--seed'], "option '--seed <n>' argument missing (see --help)"],
    [
      ['run', '--harness', 'http://127.0.0.1:1', '--host', 'msw'],
      "option '--harness <url>' cannot be used with option '--host <host>' (see --help)",
    ],
    [
      ['run', '--host', 'http'],
      invalid('--host <host>', 'http', 'express, msw, fetch, all; http is named express now'),
    ],
    [['run', '--seed', '-1'], invalid('--seed <n>', '-1', 'a whole number ≥ 0.')],
    [['run', '--concurrency', '0'], invalid('--concurrency <n>', '0', 'a whole number ≥ 1.')],
    [['run', '--shard', '4/3'], invalid('--shard <i/n>', '4/3', 'I/N, such as 1/3.')],
    [
      ['check', 'agent', '--limit', '1.5'],
      invalid('--limit <seconds>', '1.5', 'a whole number ≥ 1.'),
    ],
    [['start', '--prot', '1'], "unknown option '--prot' (Did you mean --port?)"],
    [['start', '--zebra'], "unknown option '--zebra' (see --help)"],
    [['start', '-x'], "unknown option '-x' (see --help)"],
    [
      ['start', 'surplus'],
      "too many arguments for 'start'. Expected 0 arguments but got 1: surplus. (see --help)",
    ],
    [
      ['start', '--log', 'jsno'],
      invalid('--log <style>', 'jsno', 'pretty, json, off; did you mean "json"?'),
    ],
    [['start', '--approve', 'maybe'], invalid('--approve <how>', 'maybe', 'auto, ask, deny')],
    [
      ['start', '--algorithm', 'none'],
      invalid('--algorithm <alg>', 'none', 'RS256, ES256, EdDSA, Ed25519'),
    ],
    [['start', '--port', 'abc'], invalid('--port <n>', 'abc', 'a whole number from 0 to 65535.')],
    [
      ['start', '--port', '70000'],
      invalid('--port <n>', '70000', 'a whole number from 0 to 65535.'),
    ],
    [
      ['start', '--api-port', '-1'],
      invalid('--api-port <n>', '-1', 'a whole number from 0 to 65535.'),
    ],
    [
      ['start', '--api-origin', 'api'],
      invalid(
        '--api-origin <url>',
        'api',
        'an origin, perhaps with a path, such as http://localhost:8080/auth.',
      ),
    ],
    [
      ['start', '--issuer-origin', 'http://a.test/t?x'],
      invalid(
        '--issuer-origin <url>',
        'http://a.test/t?x',
        'an origin, perhaps with a path, such as http://localhost:8080/auth.',
      ),
    ],
    ...['https://10.0.0.7', 'http://10.0.0.7/t', '10.0.0.7:4400'].map(
      (value) =>
        [
          ['start', '--reached-at', value],
          invalid(
            '--reached-at <url>',
            value,
            'an origin of plain HTTP, such as http://10.0.0.7:4400.',
          ),
        ] as [string[], string],
    ),
  ])('rejects %j', async (args, message) => {
    await expect(parse(args)).rejects.toThrow(new UsageError(message))
  })

  it('loads the modules of a command only when it runs', () => {
    const light = [
      /^scenarios\/cli\/(program|commands\/.*)\.ts$/,
      /^scenarios\/(reports\/report|targets\/mock\/hosts)\.ts$/,
      /^server\/(usage-error|version|package-root)\.ts$/,
      /^server\/wire\/(base-url|closest|inert-text|signing-algorithms)\.ts$/,
    ]

    const loaded = loadedWith('scenarios/cli/program.ts')

    expect(loaded.size).toBeGreaterThan(15)
    expect([...loaded].filter((file) => !light.some((it) => it.test(file)))).toEqual([])
  })
})

/** The own files loaded with a file: those it imports statically, transitively. */
const loadedWith = (file: string, loaded = new Set<string>()): ReadonlySet<string> => {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  const text = readFileSync(resolve(root, file), 'utf8')
  for (const [, path = ''] of text.matchAll(/^(?:import|\}) (?!type )[^;'(]*?'(\.[^']+)'$/gm)) {
    loadedWith(relative(root, resolve(root, dirname(file), path)), loaded)
  }
  return loaded
}

describe('the options of start', () => {
  const optionsOf = (...args: string[]) => {
    const command = startCommand()
    command.parseOptions(args)
    return command.opts()
  }

  it('have defaults', () => {
    expect(optionsOf()).toMatchObject({
      port: 4400,
      apiPort: 4401,
      host: '127.0.0.1',
      algorithm: 'RS256',
      env: 'bash',
      json: false,
    })
  })

  it('accept several misbehaviours', () => {
    expect(optionsOf('--misbehave', 'one', '--misbehave', 'two')).toMatchObject({
      misbehave: ['one', 'two'],
    })
  })

  it('take origins as URLs or origins', () => {
    expect(optionsOf('--issuer-origin', 'http://lumoauth:4400/')).toMatchObject({
      issuerOrigin: 'http://lumoauth:4400',
    })
  })
})
