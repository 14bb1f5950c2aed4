import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A process a test has started. Its output is kept, and can be waited for. */
export class Running implements AsyncDisposable {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  readonly #waiting = new Set<() => void>()

  constructor(
    command: string,
    args: readonly string[],
    { cwd = root, env = process.env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    // In its own process group, so that the processes it starts end with it.
    this.#child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text
      this.#look()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
      this.#look()
    })
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      // Remaining processes of the group would keep the streams open.
      this.#child.once('exit', () => this.signal('SIGKILL'))
      this.#child.once('close', (code) => {
        resolve(code)
        this.#look()
      })
    })
  }

  /** Waits until its output matches. @throws when it ends before */
  async prints(stream: 'stdout' | 'stderr', what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this[stream])
      if (found) return found
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(
          `it ended without printing ${what} to ${stream}:\n${this.stdout}\n${this.stderr}`,
        )
      }
      await new Promise<void>((look) => this.#waiting.add(look))
    }
  }

  /** @returns the exit code, once all its output has arrived */
  ends(): Promise<number | null> {
    return this.#ended
  }

  /** Sends a signal to the process and to all it has started. */
  signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
    } catch {
      // No process of the group is left.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.#ended.catch(() => {})
  }

  #look(): void {
    for (const look of this.#waiting) look()
    this.#waiting.clear()
  }
}

/** The command line, run from the sources. */
export const lumoauthHarness = (
  args: readonly string[],
  options: ConstructorParameters<typeof Running>[2] = {},
): Running => new Running(process.execPath, [`${root}/scenarios/cli.ts`, ...args], options)
