import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Running, root } from '../support/running.ts'
import { buildContext, runStages, stagesOf } from './dockerfile.ts'
import { environmentWith } from './project.ts'

/*
 * The image without Docker: the steps of the Dockerfile, with nothing but the files that
 * .dockerignore lets through, in a folder that stands for the file system of the image.
 */
describe('the container', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lumoauth-container-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is built without our tests', async () => {
    const files = await buildContext()

    expect(files).toContain('package-lock.json')
    expect(files.filter((it) => /^(?:test|\.ci|\.github|node_modules|dist)\//.test(it))).toEqual([])
  })

  it('builds of what .dockerignore lets through, and starts', async () => {
    const context = join(folder, 'context')
    for (const file of await buildContext()) {
      await mkdir(dirname(join(context, file)), { recursive: true })
      await cp(join(root, file), join(context, file))
    }
    const stages = stagesOf(await readFile(join(root, 'Dockerfile'), 'utf8'))
    const system = await runStages(stages, { folder: join(folder, 'systems'), context })

    const image = stages.at(-1) ?? []
    const words = (name: string): string[] =>
      JSON.parse(image.find((it) => it.name === name)?.rest ?? '[]')
    const [command = '', ...args] = [...words('ENTRYPOINT'), ...words('CMD')]
    await using running = new Running(
      command === 'node' ? process.execPath : command,
      [
        ...args.map((it) => (it.startsWith('/opt/') ? join(system, it) : it)),
        '--port',
        '0',
        '--api-port',
        '0',
        '--journal',
        join(system, 'data/journal.jsonl'),
      ],
      { cwd: system, env: environmentWith() },
    )
    const [line] = await running.prints('stdout', /^\{.*\}$/m)
    const { issuer, api, client_secret } = JSON.parse(line)
    const healthy = await Promise.all([issuer, api].map((it) => fetch(new URL('/healthz', it))))
    running.signal('SIGTERM')

    expect(healthy.map(({ status }) => status)).toEqual([200, 200])
    expect(await running.ends()).toBe(0)
    // Nothing is run for the platform of the image, so that one machine builds it for all.
    expect(image.filter(({ name }) => name === 'RUN')).toEqual([])
    // Others reach it: nothing that a README knows opens it, and the log is JSON alone.
    expect(client_secret).not.toMatch(/not-secret/)
    expect(running.stdout.trim().split('\n')).toHaveLength(1)
    expect(image.find(({ name }) => name === 'USER')?.rest).toMatch(/^\d+:\d+$/)
    const { uid } = await stat(join(system, 'data'))
    expect(uid).toBe(process.getuid?.() === 0 ? 1000 : process.getuid?.())
  }, 600_000)
})
