import { execFile } from 'node:child_process'
import { cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../support/running.ts'
import { environmentWith, runIn } from './project.ts'

const execute = promisify(execFile)

/** The files of the repository as they are now: tracked, or untracked and not ignored. */
export const filesOfRepository = async (): Promise<string[]> => {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const { stdout } = await execute('git', list, { cwd: root, maxBuffer: 2 ** 26 })
  const deleted = await execute('git', ['ls-files', '--deleted', '-z'], { cwd: root })
  const gone = new Set(deleted.stdout.split('\0'))
  return stdout.split('\0').filter((file) => file !== '' && !gone.has(file))
}

/**
 * The files of the repository that `docker build` sends: those `.dockerignore` does not exclude.
 */
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

/** A pattern of .dockerignore. Its `*` matches hidden files, too. */
const pattern = (glob: string): RegExp => {
  if (/\*\*|[?[\\]/.test(glob)) throw new Error(`.dockerignore: cannot read ${glob} here`)
  const parts = glob.replace(/^\/|\/$/g, '').split('*')
  return new RegExp(`^${parts.map((it) => RegExp.escape(it)).join('[^/]*')}$`)
}

type Instruction = Readonly<{ name: string; rest: string }>

/** The instructions of a Dockerfile, stage by stage. */
export const stagesOf = (text: string): Instruction[][] => {
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n')
  const stages: Instruction[][] = []
  for (const line of lines) {
    const [, name, rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === undefined) continue
    if (name === 'FROM') stages.push([])
    else stages.at(-1)?.push({ name, rest })
  }
  return stages
}

/** Instructions about how a container is started, which change no file. */
const settings = new Set([
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
])

/**
 * Runs a stage on this machine: each absolute path is a folder below `system`, and so is npm's
 * global prefix.
 */
export const runStage = async (
  stage: readonly Instruction[],
  { system, context }: { system: string; context: string },
): Promise<void> => {
  const placed = (text: string) =>
    text.replaceAll(/(?<=^|[\s=])\/(?=[a-z])/g, `${system}/`).replaceAll(/--mount=\S+\s+/g, '')
  const env = {
    ...environmentWith(),
    npm_config_prefix: join(system, 'usr'),
    npm_config_cache: join(system, 'root/.npm'),
  }
  let cwd = system
  for (const { name, rest } of stage) {
    if (name === 'WORKDIR') {
      cwd = placed(rest)
      await mkdir(cwd, { recursive: true })
    } else if (name === 'COPY' && !rest.startsWith('--')) {
      const places = rest.split(/\s+/)
      const target = join(cwd, places.pop() ?? '')
      for (const place of places) {
        const copy = place === '.' ? target : join(target, place)
        await cp(join(context, place), copy, { recursive: true })
      }
    } else if (name === 'RUN') {
      // Only root may change the owner of a file.
      const owned = process.getuid?.() === 0 ? rest : rest.replace(/ -o \d+ -g \d+/, '')
      await runIn({ cwd, env }, 'sh', '-ec', placed(owned))
    } else if (!settings.has(name)) {
      throw new Error(`cannot do ${name} ${rest} outside of a container`)
    }
  }
}
