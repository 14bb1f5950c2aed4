import type { Example } from './universe.ts'

/** A request on one line, in YAML flow style; it can be pasted into a test. */
export const exampleText = (example: Example): string => flow(example)

const flow = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, it]) => it !== undefined)
      .map(([key, it]) => `${plain(key)}: ${flow(it)}`)
    return `{ ${members.join(', ')} }`
  }
  return typeof value === 'string' ? plain(value) : String(value)
}

/** Quoted, unless YAML reads the same text without quotes. */
const plain = (text: string): string =>
  /^[A-Za-z_][\w./@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text)
