import type { WriteStream } from 'node:tty'
import type { HarnessOptions } from '../harness/harness.ts'
import type { LogLine } from '../http/log.ts'

export type LogStyle = 'pretty' | 'json' | 'off'

/** Says what happens to the process itself. */
export type Say = (level: 'info' | 'error', message: string) => void

/** A log for people or for machines. What concerns the process is said in any case. */
export const logTo = (
  out: Pick<WriteStream, 'write' | 'hasColors'>,
  style: LogStyle,
): { say: Say; hears: Pick<HarnessOptions, 'log' | 'onBug'> } => {
  const say: Say = (level, message) => {
    const time = new Date().toISOString()
    const line = style === 'json' ? JSON.stringify({ time, level, msg: message }) : `${message}`
    out.write(`${line}\n`)
  }
  const text = style === 'json' ? formatJson : formatLine(out.hasColors?.() ?? false)
  return {
    say,
    hears: {
      ...(style === 'off' ? {} : { log: (line) => out.write(`${text(line)}\n`) }),
      onBug: (bug, { method, path }) =>
        say(
          'error',
          `bug while answering ${method} ${path}: ${bug instanceof Error ? bug.stack : bug}`,
        ),
    },
  }
}

const formatJson = ({ time, id, milliseconds, client, trace, ...line }: LogLine): string =>
  JSON.stringify({
    time,
    level: line.status < 500 ? 'info' : 'error',
    msg: `${line.method} ${line.path} ${line.status}`,
    request_id: id,
    ...line,
    ...(client !== undefined && { client_id: client }),
    ...(trace !== undefined && { trace_id: trace }),
    ms: Math.round(milliseconds * 10) / 10,
  })

const formatLine =
  (colors: boolean) =>
  ({ time, id, seat, method, path, status, milliseconds, error, description }: LogLine): string => {
    const paint = (code: number, text: string) =>
      colors ? `\u001b[${code}m${text}\u001b[0m` : text
    const why = [error, description].filter((it) => it !== undefined).join(': ')
    return [
      paint(2, time.toTimeString().slice(0, 8)),
      seat.padEnd(6),
      `${method} ${path}`,
      paint(status < 400 ? 32 : status < 500 ? 33 : 31, String(status)),
      ...(why === '' ? [] : [why]),
      paint(2, `${Math.round(milliseconds)} ms ${id}`),
    ].join(' ')
  }
