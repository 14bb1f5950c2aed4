import { execFile } from 'node:child_process'
import { chown, cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../support/running.ts'
import { environmentWith, runIn } from './project.ts'

const execute = promisify(execFile)

/** The files of the repository, as they are now: what git knows or would take in. */
export const filesOfRepository = async (): Promise<string[]> => {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const { stdout } = await execute('git', list, { cwd: root, maxBuffer: 2 ** 26 })
  const deleted = await execute('git', ['ls-files', '--deleted', '-z'], { cwd: root })
  const gone = new Set(deleted.stdout.split('\0'))
  return stdout.split('\0').filter((file) => file !== '' && !gone.has(file))
}

/** The files of the repository that `docker build` sends: what `.dockerignore` lets through. */
export const buildContext = async (): Promise<string[]> => {
  const rules = (await readFile(join(root, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), names: pattern(line.replace(/^!/, '')) }))
  return (await filesOfRepository()).filter((file) => {
    const parts = file.split('/')
    const places = parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    // The last rule that names a file, or a folder it is in, decides.
    const last = rules.findLast(({ names }) => places.some((it) => names.test(it)))
    return last?.keeps ?? true
  })
}

/** A pattern of .dockerignore. Its `*` names hidden files, too. */
const pattern = (glob: string): RegExp => {
  if (/\*\*|[?[\\]/.test(glob)) throw new Error(`.dockerignore: cannot read ${glob} here`)
  const parts = glob.replace(/^\/|\/$/g, '').split('*')
  return new RegExp(`^${parts.map((it) => RegExp.escape(it)).join('[^/]*')}$`)
}

type Instruction = Readonly<{ name: string; rest: string }>

/** What a Dockerfile says, stage by stage. */
export const stagesOf = (text: string): Instruction[][] => {
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n')
  const stages: Instruction[][] = []
  for (const line of lines) {
    const [, name, rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === undefined) continue
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, rest })
  }
  return stages
}

/** Instructions that say how a container is started, and change no file. */
const settings = new Set([
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
])

/**
 * Does what the stages do, on this machine: each stage has a folder that stands for its file system, and
 * each absolute path is below it.
 * @returns the folder of the last stage
 */
export const runStages = async (
  stages: readonly (readonly Instruction[])[],
  { folder, context }: { folder: string; context: string },
): Promise<string> => {
  const systems = new Map<string, string>()
  let system = folder
  for (const [index, stage] of stages.entries()) {
    const { rest = '' } = stage.find(({ name }) => name === 'FROM') ?? {}
    system = join(folder, `stage-${index}`)
    systems.set(/ AS (\S+)$/.exec(rest)?.[1] ?? String(index), system)
    await mkdir(join(system, 'package'), { recursive: true })
    await runStage(stage, { system, context, systems })
  }
  return system
}

const runStage = async (
  stage: readonly Instruction[],
  {
    system,
    context,
    systems,
  }: { system: string; context: string; systems: ReadonlyMap<string, string> },
): Promise<void> => {
  const placed = (text: string) => text.replaceAll(/(?<=^|[\s=])\/(?=[a-z])/g, `${system}/`)
  const env = {
    ...environmentWith(),
    npm_config_prefix: join(system, 'usr'),
    npm_config_cache: join(system, 'root/.npm'),
  }
  const isRoot = process.getuid?.() === 0
  let cwd = system
  for (const { name, rest } of stage) {
    if (name === 'WORKDIR') {
      cwd = placed(rest)
      await mkdir(cwd, { recursive: true })
    } else if (name === 'COPY') {
      const [, from, user, group, paths = ''] =
        /^(?:--from=(\S+) )?(?:--chown=(\d+):(\d+) )?(?!--)(.*)$/.exec(rest) ?? []
      const places = paths.split(/\s+/)
      const last = places.pop() ?? ''
      const target = last.startsWith('/') ? placed(last) : join(cwd, last)
      const source = from === undefined ? context : (systems.get(from) ?? `no stage ${from}`)
      for (const place of places) {
        const copy = place === '.' || from !== undefined ? target : join(target, place)
        await cp(join(source, place), copy, { recursive: true })
        if (isRoot && user !== undefined) await chown(copy, Number(user), Number(group))
      }
    } else if (name === 'RUN') {
      // Only root may give a file to others.
      const owned = isRoot ? rest : rest.replace(/ -o \d+ -g \d+/, '')
      await runIn({ cwd, env }, 'sh', '-ec', placed(owned))
    } else if (!settings.has(name)) {
      throw new Error(`cannot do ${name} ${rest} outside of a container`)
    }
  }
}
