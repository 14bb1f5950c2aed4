import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { lumoauthHarness } from '../../support/running.ts'

const cli = fileURLToPath(new URL('../../../scenarios/cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'scenarios-'))
afterAll(() => rmSync(folder, { recursive: true }))

const lumoauth = (...args: string[]) => lumoauthWith({}, ...args)

const lumoauthWith = (more: Record<string, string>, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      NODE_NO_WARNINGS: '1',
      FORCE_COLOR: undefined,
      XDG_CACHE_HOME: folder,
      GITHUB_ACTIONS: undefined,
      LUMOAUTH_HARNESS_CONTROL_TOKEN: undefined,
      ...more,
    },
  })
  return { status, stdout, stderr }
}

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return name
}

describe('the command line', { timeout: 60_000 }, () => {
  it.for([
    [['rnu'], "lumoauth-harness: unknown command 'rnu' (Did you mean run?)\n"],
    [
      ['run', '--hots', 'msw'],
      "lumoauth-harness: unknown option '--hots' (Did you mean --host?)\n",
    ],
    [
      ['run', '--host', 'expres'],
      `lumoauth-harness: option '--host <host>' argument 'expres' is invalid. Expected express, msw, fetch, all; did you mean "express"?\n`,
    ],
    [
      ['run', '--report', 'junti'],
      `lumoauth-harness: option '--report <report>' argument 'junti' is invalid. Expected junit, ctrf, html, json, markdown, terminal, transcript; did you mean "junit"?\n`,
    ],
    [
      ['run', '--repeat', 'often'],
      "lumoauth-harness: option '--repeat <n>' argument 'often' is invalid. Expected a whole number ≥ 1.\n",
    ],
    [
      ['run', '--shard', '4/3'],
      "lumoauth-harness: option '--shard <i/n>' argument '4/3' is invalid. Expected I/N, such as 1/3.\n",
    ],
    [['run', 'no-such-thing'], 'lumoauth-harness: no scenario file matches "no-such-thing"\n'],
    [
      ['explain', 'THR-80'],
      'lumoauth-harness: there is no rule "THR-80"; did you mean "THR-08"?\n',
    ],
    [
      ['sabotage', 'issuer-exchange-twice'],
      'lumoauth-harness: no misbehaviour is named "issuer-exchange-twice"; did you mean "issuer-exchanges-twice"?\n',
    ],
    [
      ['run', '--harness', '127.0.0.1:4400'],
      "lumoauth-harness: option '--harness <url>' argument '127.0.0.1:4400' is invalid. Expected an origin, such as http://127.0.0.1:4400.\n",
    ],
    [
      ['run', '--harness', 'http://127.0.0.1:1', '--host', 'msw'],
      "lumoauth-harness: option '--harness <url>' cannot be used with option '--host <host>' (see --help)\n",
    ],
    [
      ['run', '--harness', 'http://127.0.0.1:1'],
      'lumoauth-harness: LUMOAUTH_HARNESS_CONTROL_TOKEN is not set: set it to the control token that start printed\n',
    ],
    [
      ['run', '--ui', '--reporter', 'dot'],
      "lumoauth-harness: option '--ui' cannot be used with option '--reporter <name>' (see --help)\n",
    ],
    [
      ['run', '--ui', '--shard', '1/2'],
      "lumoauth-harness: option '--ui' cannot be used with option '--shard <i/n>' (see --help)\n",
    ],
    [
      ['run', '--ui', '--host', 'all'],
      'lumoauth-harness: --ui runs under one host: name it instead of all\n',
    ],
    [['run', '--ui-port', '4700'], 'lumoauth-harness: --ui-port needs --ui\n'],
    [
      ['run', '--ui', '--ui-port', '70000'],
      "lumoauth-harness: option '--ui-port <port>' argument '70000' is invalid. Expected a whole number from 0 to 65535.\n",
    ],
    [['scenario', 'old', 'x'], "lumoauth-harness: unknown command 'old' (see --help)\n"],
  ] as const)('rejects %j with one line and exit code 2', ([args, line]) => {
    expect(lumoauth(...args)).toEqual({ status: 2, stdout: '', stderr: line })
  })

  it.for([
    'run',
    'schema',
    'scenario',
    'rules',
    'explain',
    'sabotage',
    'misbehaviours',
    'dialects',
    'start',
    'target',
    'diff-contract',
    'check issuer',
    'check api',
    'check agent',
  ])('explains %s, with an example', (command) => {
    const { status, stdout } = lumoauth(...command.split(' '), '--help')

    expect(status).toBe(0)
    expect(stdout).toContain(`Example: lumoauth-harness ${command}`)
  })

  it('prints its version', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    )

    expect(lumoauth('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.for([['--help'], ['-h'], ['help']] as const)('lists the commands by %j', (args) => {
    const { status, stdout, stderr } = lumoauth(...args)

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: lumoauth-harness /)
    expect(stdout).toMatch(/^ {2}start .*issuer, API and control plane/m)
  })

  it.for(['', 'check', 'scenario', 'target'])(
    'needs a command: "%s" prints help to stderr, with exit code 2',
    (line) => {
      const { status, stdout, stderr } = lumoauth(...line.split(' ').filter((it) => it !== ''))

      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toMatch(/^Usage: lumoauth-harness /)
    },
  )

  it('shows the defaults of options in the help', () => {
    const { stdout } = lumoauth('run', '--help')

    expect(stdout).toMatch(/--host <host> [^-]*"fetch", "all"[^-]*default:\s+"express"/)
    expect(stdout).toMatch(/--concurrency <n> .*\(default: 8\)/)
  })

  it('passes all arguments after -- to the agent', () => {
    const { status, stdout, stderr } = lumoauth(
      ...['check', 'agent', '--', process.execPath, '--list', '--eval', ''],
    )

    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(stdout).toContain('bad option: --list')
  })

  it('runs no scenario when a file has an error, and reports its position', () => {
    const name = file('broken.yaml', 'scenario: Something is so\nsteps:\n  - cal: GET /x\n')

    const { status, stdout, stderr } = lumoauth('run', name)

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe(
      'broken.yaml:3:5: unknown action "cal"; did you mean "call"?\nlumoauth-harness: 1 error in scenario files; no scenario was run\n',
    )
  })

  it('exits with 1 when a scenario fails', () => {
    const name = file(
      'failing.yaml',
      'scenario: Something is so\nsteps:\n  - userinfo: {}\n    with: none\n',
    )

    const { status, stdout } = lumoauth('run', name, '--host', 'fetch')

    expect(status).toBe(1)
    expect(stdout).toContain('failing.yaml:3:5: expected success, answered 401')
    expect(stdout).toMatch(/0 passed, 1 failed, 0 skipped of 1 scenario in [\d.]+ m?s\n$/)
  })

  it('writes a scenario that passes, and several reports of it', () => {
    expect(lumoauth('scenario', 'new', 'mine.yaml').status).toBe(0)

    const { status, stdout, stderr } = lumoauth(
      ...[
        'run',
        'mine.yaml',
        '--host',
        'fetch',
        '--report',
        'json',
        '--report',
        'junit=out/junit.xml',
      ],
    )

    expect(status).toBe(0)
    expect(JSON.parse(stdout.slice(0, stdout.lastIndexOf('}') + 1)).counts.passed).toBe(1)
    expect(stderr).toContain('1 passed')
    expect(readFileSync(join(folder, 'out/junit.xml'), 'utf8')).toContain('tests="1" failures="0"')
  })

  it('lists scenarios with --list', () => {
    const { stdout } = lumoauth('run', '--tag', 'race', '--list')

    expect(stdout).toContain('Of concurrent exchanges of one approval exactly one succeeds')
    expect(stdout).not.toContain('A challenge contains')
  })

  it('explains a rule: its sentence, source, scenarios and misbehaviours', () => {
    const { stdout } = lumoauth('explain', 'thr-08')

    expect(stdout).toMatch(/^THR-08 {2}Of several exchanges/)
    expect(stdout).toContain('concurrent-exchanges-one-succeeds.yaml')
    expect(stdout).toContain('issuer-exchanges-twice: ')
  })

  it.for([
    ['rules', ['HDR-01'], /HDR-01 +HOUSE +agent +A challenge stands/],
    ['misbehaviours', ['exchanges-twice'], /breaks THR-08 at jit.request.token\n\n1 misb/],
    ['dialects', ['wg-00'], /^challenge: lumo \| rar-04 \| wg-00 \| both\n/],
  ] as const)('lists %s', ([command, args, expected]) => {
    expect(lumoauth(command, ...args).stdout).toMatch(expected)
  })

  it('runs only failed scenarios with --failed, and none after they pass', () => {
    const text = (status: number) =>
      `scenario: It is there, or not\nsteps:\n  - http: { request: GET /no/such/path }\n    expect: { status: ${status} }\n`
    const name = file('again.yaml', text(200))
    expect(lumoauth('run', name).status).toBe(1)

    file('again.yaml', text(404))

    expect(lumoauth('run', name, '--failed').stdout).toContain('1 passed')
    expect(lumoauth('run', name, '--failed').stdout).toBe(
      'no selected scenario failed in its last run\n',
    )
  })

  it.for([
    [['bad-input/a-key-named-proto-changes-nothing'], 'bad-input/proto-key-is-rejected.yaml"'],
    [['--only', 'a key __proto__ is refused'], 'pollutes nothing'],
    [['--failed'], 'bad-input/proto-key-is-rejected.yaml"; run it by its new name first'],
  ] as const)('run %s: a former name fails with the present one', ([args, now]) => {
    const old = join(folder, 'scenarios/suite/bad-input/a-key-named-proto-changes-nothing.yaml')
    const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 16)
    mkdirSync(join(folder, 'lumoauth-harness'), { recursive: true })
    const records = join(folder, 'lumoauth-harness', `${name}.json`)
    writeFileSync(records, JSON.stringify({ [old]: 'failed' }))

    const { status, stderr } = lumoauth('run', ...args)

    rmSync(records)
    expect(stderr).toContain(now)
    expect(status).toBe(2)
  })

  it('runs scenarios on a running harness and deletes its tenants there', async () => {
    const control = { LUMOAUTH_HARNESS_CONTROL_TOKEN: 'the-control-token' }
    const env = { ...process.env, ...control }
    await using running = lumoauthHarness(['start', '--port', '0', '--api-port', '0', '--json'], {
      env,
    })
    const [line] = await running.prints('stdout', /^.*\n/)
    const { issuer } = JSON.parse(line)

    const refused = lumoauthWith(
      { LUMOAUTH_HARNESS_CONTROL_TOKEN: 'another' },
      ...['run', 'founding', '--harness', issuer],
    )
    const { status, stdout } = lumoauthWith(control, 'run', 'founding', '--harness', issuer)

    expect(refused).toMatchObject({ status: 2, stdout: '' })
    expect(refused.stderr).toContain(`${issuer} refuses LUMOAUTH_HARNESS_CONTROL_TOKEN`)
    expect(stdout).toMatch(/\d passed, 0 failed, 0 skipped/)
    expect(status).toBe(0)
    const health = await fetch(`${issuer}/healthz`)
    expect(await health.json()).toMatchObject({ tenants: 1 })
  })

  it('annotates failures on GitHub', () => {
    const name = file(
      'annotated.yaml',
      'scenario: One is two, they say\nsteps:\n  - assert: { value: 1, expect: 2 }\n',
    )

    const { stdout } = lumoauthWith({ GITHUB_ACTIONS: 'true' }, 'run', name)

    expect(stdout).toMatch(/^::error file=annotated.yaml,line=3,col=\d+,title=One is two/m)
  })

  const passing = 'scenario: One is one, they say\nsteps:\n  - assert: { value: 1, expect: 1 }\n'
  const wrong = 'scenario: Two is one, they say\nsteps:\n  - assert: { value: 2, expect: 1 }\n'

  it('annotates files by their path from the workspace', () => {
    mkdirSync(join(folder, 'packages'), { recursive: true })
    const name = file('packages/wrong.yaml', wrong)
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: join(folder, '..') }

    const { stdout } = lumoauthWith(env, 'run', name)

    expect(stdout).toMatch(
      new RegExp(`^::error file=${basename(folder)}/packages/wrong.yaml,`, 'm'),
    )
  })

  it('lists failed scenarios with file and line, and how to run them again', () => {
    const { stdout } = lumoauth('run', file('wrong.yaml', wrong), file('right.yaml', passing))

    expect(stdout).toContain('Failed: 1\n  wrong.yaml:3  Two is one, they say\n')
    expect(stdout).toContain('Run these again: lumoauth-harness run --failed')
  })

  it.for([
    [['--reporter', 'dot'], /^\.F\n/],
    [['--reporter', 'quiet'], /^1\. Two is one/],
    [['--verbose'], /^scenarios\n {2}✓ One is one, they say [\d.]+ m?s\n/m],
    [[], /^✗ scenarios {2}1 passed, 1 failed\n {4}✗ Two is one/],
  ] as const)('shows results with %j', ([options, expected]) => {
    const names = [file('a-right.yaml', passing), file('b-wrong.yaml', wrong)]

    expect(lumoauth('run', ...names, ...options).stdout.trimStart()).toMatch(expected)
  })

  it.for([
    [['--report', 'markdown='], '--report markdown=: the name of the file is empty'],
    [['--report', 'junit', '--report', 'ctrf'], 'two reports go to the standard output'],
    [['--report', 'junit=a.xml', '--report', 'ctrf=./a.xml'], 'two reports go to ./a.xml'],
    [['--report', 'junit=.'], '--report junit=.: cannot be written: it is a folder'],
    [['--report', 'junit=right.yaml/a.xml'], 'cannot be written'],
  ] as const)('rejects %j before anything runs', ([options, message]) => {
    const { status, stdout, stderr } = lumoauth('run', file('right.yaml', passing), ...options)

    expect(stderr).toContain(message)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  it('appends to the step summary of GitHub', () => {
    const summary = join(folder, file('summary.md', '## Earlier\n'))
    const report = `markdown=${summary}`

    lumoauthWith(
      { GITHUB_STEP_SUMMARY: summary },
      'run',
      file('right.yaml', passing),
      '--report',
      report,
    )

    expect(readFileSync(summary, 'utf8')).toMatch(/^## Earlier\n[\s\S]*1 of 1 scenarios passed/)
  })

  it('passes a shard without a scenario', () => {
    const { status, stdout } = lumoauth('run', file('right.yaml', passing), '--shard', '2/2')

    expect({ status, stdout }).toEqual({ status: 0, stdout: 'this shard has no scenario\n' })
  })

  it('runs with --failed what was never run', () => {
    const name = file('never-run.yaml', wrong)

    expect(lumoauth('run', name, '--failed')).toMatchObject({ status: 1 })
  })

  it.for(['glob/**', 'glob/*', 'glob'])('finds scenarios, and no other files, by %s', (pattern) => {
    mkdirSync(join(folder, 'glob/deep'), { recursive: true })
    mkdirSync(join(folder, 'glob/node_modules/x'), { recursive: true })
    file('glob/deep/right.yaml', passing)
    file('glob/node_modules/x/wrong.yaml', wrong)
    file('glob/pnpm-lock.yaml', 'lockfileVersion: 9\n')
    file('glob/note.txt', 'no scenario')

    expect(lumoauth('run', pattern).stdout).toContain('1 passed, 0 failed')
  })

  it('colours its output with FORCE_COLOR, unless NO_COLOR is set', () => {
    const name = file('right.yaml', passing)

    expect(lumoauthWith({ FORCE_COLOR: '1', NO_COLOR: '' }, 'run', name).stdout).toContain(
      '\u001b[32m',
    )
    expect(lumoauthWith({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'run', name).stdout).not.toContain(
      '\u001b',
    )
  })
})
