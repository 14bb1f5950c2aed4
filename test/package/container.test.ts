import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Running, root } from '../support/running.ts'
import { buildContext, runStage, stagesOf } from './dockerfile.ts'
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

  it('is built from the files .dockerignore includes, and starts', async () => {
    const context = join(folder, 'context')
    for (const file of await buildContext()) {
      await mkdir(dirname(join(context, file)), { recursive: true })
      await cp(join(root, file), join(context, file))
    }
    const system = join(folder, 'system')
    await mkdir(join(system, 'package'), { recursive: true })
    const stages = stagesOf(await readFile(join(root, 'Dockerfile'), 'utf8'))
    for (const stage of stages) await runStage(stage, { system, context })

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
        '--json',
      ],
      { cwd: system, env: environmentWith() },
    )
    const [line] = await running.prints('stdout', /^\{.*\}$/m)
    const { issuer } = JSON.parse(line)
    const healthy = await fetch(new URL('/healthz', issuer))
    running.signal('SIGTERM')

    expect(healthy.status).toBe(200)
    expect(await running.ends()).toBe(0)
  }, 600_000)
})
