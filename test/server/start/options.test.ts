import { describe, expect, it } from 'vitest'
import { assignments, readOptions } from '../../../server/start/options.ts'
import { UsageError } from '../../../server/usage-error.ts'

describe('the options of start', () => {
  it.each([
    [['--prot', '1'], 'unknown option --prot; did you mean "--port"?'],
    [['--zebra'], 'unknown option --zebra (see --help)'],
    [['-x'], "Unknown option '-x' (see --help)"],
    [['surplus'], "Unexpected argument 'surplus' (see --help)"],
    [['--log', 'jsno'], '--log jsno: expected pretty, json, off; did you mean "json"?'],
    [['--approve', 'maybe'], '--approve maybe: expected auto, ask, deny'],
    [['--algorithm', 'none'], '--algorithm none: expected RS256, ES256, EdDSA, Ed25519'],
    [['--port', '70000'], '--port 70000: expected a port, 0 to 65535'],
    [['--api-port', '-1'], "Option '--api-port' argument is ambiguous (see --help)"],
    [['--api-origin', 'api'], '--api-origin api: expected an origin such as http://lumoauth:4400'],
    [
      ['--issuer-origin', 'http://a.test/t/x'],
      '--issuer-origin http://a.test/t/x: expected an origin such as http://lumoauth:4400',
    ],
  ])('%j are refused', (args, message) => {
    expect(() => readOptions(args, {})).toThrow(new UsageError(message))
  })

  it('take the control token from the environment', () => {
    const options = readOptions([], { LUMOAUTH_HARNESS_CONTROL_TOKEN: 'known-to-others' })

    expect(options).toMatchObject({ controlToken: 'known-to-others', port: 4400, apiPort: 4401 })
  })

  it('may name several misbehaviours', () => {
    expect(readOptions(['--misbehave', 'one', '--misbehave', 'two'], {})).toMatchObject({
      misbehave: ['one', 'two'],
    })
  })
})

describe('an assignment', () => {
  it.each([
    ['bash', `export NAME='it'\\''s'`],
    ['powershell', `$env:NAME = 'it''s'`],
    ['dotenv', `NAME=it's`],
  ] as const)('is quoted for %s', (shell, line) => {
    expect(assignments[shell]('NAME', "it's")).toBe(line)
  })
})
