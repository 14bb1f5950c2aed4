import { spawn } from 'node:child_process'

export type Ended = Readonly<{
  code: number | null
  signal: string | null
  late: boolean
  output: string
}>

export type Command = Readonly<{
  /** Program and arguments. */
  line: readonly string[]
  environment: Readonly<Record<string, string>>
  /** Seconds. */
  limit: number
  signal: AbortSignal
}>

/** Output that is kept. */
const longest = 64 * 1024

/** Runs a command with all its child processes. Ends every one of them when the command ends. */
export const command = ({ line, environment, limit, signal }: Command) => {
  const [program = '', ...args] = line
  let output = ''
  let late = false
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
    child.once('close', (code, by) => {
      over()
      kill('SIGKILL')
      resolve({ code, signal: by, late, output })
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
