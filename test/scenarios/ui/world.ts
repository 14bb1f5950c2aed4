import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { rulesFile } from '../../../scenarios/cli/find-scenarios.ts'
import { writeWholeFile } from '../../../scenarios/cli/write-file.ts'
import { loadRules } from '../../../scenarios/runner/rules.ts'
import { mock } from '../../../scenarios/targets/mock/mock.ts'
import { openUi, type Ui, type UiOptions } from '../../../scenarios/ui/ui.ts'

/** A scenario that passes. */
export const passing = (title = 'A document is refused to an agent without a permission') =>
  `scenario: ${title}
covers: [LUMO-CHALLENGE-1]
steps:
  - call: GET /v1/documents/doc_9982
    expect: { status: 403, challenge: { type: file_access } }
`

/** The same scenario, which expects another status. */
export const failing = passing('A document is open to every agent').replace('403', '200')

/** A folder of a user with scenario files, and the page for it. */
export const openWorld = async (
  files: Readonly<Record<string, string>> = { 'refused.yaml': passing() },
  options: Partial<UiOptions> = {},
) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'lumoauth-ui-')))
  const folder = join(home, 'mine')
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const names = Object.keys(files)
  const target = await mock('fetch')
  const { catalogue } = await loadRules(rulesFile())
  const ui = await openUi({
    list: () => names.map((it) => join(folder, it)),
    roots: [folder],
    tour: [],
    write: writeWholeFile,
    target,
    rules: catalogue.rules,
    ...options,
  })
  return {
    ui,
    folder,
    /** Names a file that appears later. */
    add: (name: string) => names.push(name),
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
    write: (name: string, text: string) => writeFileSync(join(folder, name), text),
    [Symbol.asyncDispose]: async () => {
      await ui.close()
      await target.close()
      rmSync(home, { recursive: true })
    },
  }
}

/** A browser that opened the link: its requests carry the cookie, the origin and the token of the page. */
export const signIn = async ({ origin, link }: Pick<Ui, 'origin' | 'link'>) => {
  const code = link().split('#code=')[1]
  const opened = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  })
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  const session = await fetch(`${origin}/api/session`, { headers: { cookie } })
  const { csrf_token: csrf } = (await session.json()) as { csrf_token: string }
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${origin}/api${path}`, {
      method,
      headers: {
        cookie,
        origin,
        'x-csrf-token': csrf,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, text, body: isJson ? JSON.parse(text) : undefined }
  }
  const item = async (title: string) => {
    const { body } = await call('GET', '/state')
    return body.items.find((it: { title: string }) => it.title === title)
  }
  return { cookie, csrf, call, item }
}

/** Expects of a value that it becomes what is expected, within ten seconds. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 })
