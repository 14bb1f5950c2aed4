import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { root } from '../support/running.ts'

export type SpawnOptions = Readonly<{
  env?: NodeJS.ProcessEnv
  /** Its standard input. */
  input?: string
  /** Called with each line it prints. */
  onLine?: (line: string) => void
}>

const alive = new Set<ChildProcess>()

/** Ends every started process with the bench, however the bench ends. */
export const endTogether = (): void => {
  process.once('exit', () => {
    for (const child of alive) child.kill('SIGKILL')
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
}

/** A new Node process, and its figures from the kernel. */
export class Process implements AsyncDisposable {
  readonly startedAt = performance.now()
  readonly #child: ChildProcess
  readonly #name: string
  readonly #ended: Promise<number | null>
  readonly #lines: string[] = []
  #complaints = ''
  #look = () => {}

  constructor(
    args: readonly string[],
    { env = process.env, input, onLine = () => {} }: SpawnOptions = {},
  ) {
    this.#name = args.join(' ').slice(0, 200)
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'pipe' })
    this.#child = child
    alive.add(child)
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#complaints = (this.#complaints + text).slice(-4000)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      if (this.#lines.length > 1000) this.#lines.shift()
      onLine(line)
      this.#look()
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        alive.delete(child)
        resolve(code)
        this.#look()
      })
    })
  }

  /** The first line that begins so. @throws when the process ends before */
  async line(beginning: string): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => line.startsWith(beginning))
      if (found !== undefined) return found
      if (!alive.has(this.#child)) {
        throw new Error(`${this.#name} ended too early:\n${this.#complaints}`)
      }
      await new Promise<void>((resolve) => {
        this.#look = resolve
      })
    }
  }

  /** The last line it printed, once it has ended. @throws when it failed */
  async result(): Promise<string> {
    const code = await this.#ended
    if (code !== 0) {
      const said = `${this.#lines.slice(-5).join('\n')}\n${this.#complaints}`
      throw new Error(`${this.#name}: exit code ${code}:\n${said}`)
    }
    return this.#lines.at(-1) ?? ''
  }

  get hasEnded(): boolean {
    return !alive.has(this.#child)
  }

  /** Resident memory in MiB: now, and at its highest. */
  memory(): { now: number; highest: number } {
    const status = this.#read('status')
    const mebibytes = (field: string) =>
      Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024
    return { now: mebibytes('VmRSS'), highest: mebibytes('VmHWM') }
  }

  /** Seconds of processor time of all its threads, in user and kernel mode. */
  cpu(): number {
    const fields = this.#read('stat').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  /** Sends SIGTERM, and waits until it has ended. */
  async ends(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal)
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ends('SIGKILL').catch(() => {})
  }

  #read(file: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8')
    } catch {
      return ''
    }
  }
}

/** `USER_HZ`, which is the same on every Linux. */
const ticksPerSecond = 100

/** The path of one of our scripts. */
export const script = (path: string): string => new URL(path, import.meta.url).pathname

/** The result of one of our scripts, run in a new process. */
export const outcomeOf = async <T>(
  path: string,
  order: object = {},
  flags: readonly string[] = [],
): Promise<T> => {
  await using running = new Process([...flags, script(path), JSON.stringify(order)])
  return JSON.parse(await running.result()) as T
}
