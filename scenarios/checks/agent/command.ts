import { spawn } from 'node:child_process'

export type Ended = Readonly<{
  code: number | null
  signal: string | null
  /** Whether the limit ended it. */
  late: boolean
  /** Whether something it had started still ran, and was stopped. */
  leftBehind: boolean
  output: string
}>

export type Command = Readonly<{
  /** Program and arguments. */
  line: readonly string[]
  environment: Readonly<Record<string, string>>
  /** Seconds after which it is stopped. */
  limit: number
  /** Seconds that what it started may outlive it. Default: as long as it wants. */
  grace?: number
  signal: AbortSignal
}>

/** Output that is kept. */
const longest = 64 * 1024

/** Runs a command with all its child processes. Ends every one of them when the command ends. */
export const command = ({ line, environment, limit, grace, signal }: Command) => {
  const [program = '', ...args] = line
  let output = ''
  let late = false
  let leftBehind = false
  const child = spawn(program, args, {
    env: { ...inheritEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-longest)
    })
  }
  const kill = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, how)
      else child.kill(how)
    } catch {
      // The command has ended by itself.
    }
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    const stop = () => {
      kill('SIGTERM')
      setTimeout(() => kill('SIGKILL'), 2000).unref()
    }
    const timer = setTimeout(() => {
      late = true
      stop()
    }, limit * 1000)
    signal.addEventListener('abort', stop, { once: true })
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    child.once('error', (error) => {
      over()
      reject(error)
    })
    let outlived: NodeJS.Timeout | undefined
    child.once('exit', () => {
      if (grace === undefined) return
      clearTimeout(timer)
      outlived = setTimeout(() => {
        leftBehind = true
        kill('SIGKILL')
        // A process of another group may still hold the pipes.
        child.stdout.destroy()
        child.stderr.destroy()
      }, grace * 1000)
    })
    child.once('close', (code, by) => {
      over()
      clearTimeout(outlived)
      kill('SIGKILL')
      resolve({ code, signal: by, late, leftBehind, output })
    })
  })
  return { ended, kill }
}

/** The environment of this process, without variables that name other servers. */
const inheritEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(LUMOAUTH_|AGENT_CLIENT_|DOCUMENTS_API_URL$|OPENAI_)/.test(name),
    ),
  )
