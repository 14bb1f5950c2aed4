import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from '../../server/index.ts'

const run = promisify(execFile)
const client = new URL('../../client/', import.meta.url)
const readme = await readFile(new URL('README.md', client), 'utf8')
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
const shown = [
  /id: 'doc_9982'/,
  /step: 'refused'.*403 not asked for: file_access delete doc_9982/s,
  /^granted for 120 s$/m,
  /"id":"doc_9982".*permission denied: not asked for: file_access write reports/s,
]

describe('the README of the client', () => {
  let harness: Harness
  let folder: string

  beforeAll(async () => {
    harness = await createHarness({ tenants: [{}] })
    folder = await mkdtemp(join(tmpdir(), 'lumoauth-client-readme-'))
  })

  afterAll(async () => {
    await harness.close()
    await rm(folder, { recursive: true })
  })

  /** As a reader would: a file, the environment `npm start` prints, `node`. */
  const output = async (name: string, code: string): Promise<string> => {
    const file = join(folder, `${name}.ts`)
    await writeFile(file, code)
    const { stdout } = await run(process.execPath, [file], {
      env: { ...process.env, ...harness.tenants[0]?.environment },
    })
    return stdout
  }

  it('has as many snippets as are tested here', () => {
    expect(snippets).toHaveLength(shown.length)
  })

  it.each(shown.map((expected, at) => [at + 1, expected] as const))(
    'runs snippet %i with the documented output',
    async (number, expected) => {
      const code = snippets[number - 1]?.replaceAll(
        'lumoauth-harness/client',
        new URL('index.ts', client).href,
      )

      expect(await output(`snippet-${number}`, code ?? '')).toMatch(expected)
    },
  )

  it('names an example that runs', async () => {
    const example = new URL('examples/analyst-crew.ts', client).pathname
    const { stdout } = await run(process.execPath, [example], {
      env: { ...process.env, ...harness.tenants[0]?.environment },
    })

    expect(stdout).toMatch(/says: I wrote the report report_\w+\.\ntask completed/)
    expect(stdout).not.toContain(harness.tenants[0]?.agents[0]?.client_secret)
  })
})
