import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from '../../server/usage-error.ts'
import { closest } from '../../server/wire/closest.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** Reads options; a wrong one is one clear line, with the one that was meant. */
export const readOptions = <const O extends Options>(args: string[], options: O) => {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const unknown = /Unknown option '(--?[^'=]+)/.exec(error.message)?.[1]
    if (unknown === undefined) throw new UsageError(error.message.split('. ')[0] ?? error.message)
    const meant = closest(unknown.replace(/^-+/, ''), Object.keys(options))
    const hint = meant === undefined ? '; --help lists the options' : `; did you mean "--${meant}"?`
    throw new UsageError(`unknown option "${unknown}"${hint}`)
  }
}

/** A whole number given as an option. */
export const wholeNumber = (
  name: string,
  value: string | undefined,
  least = 1,
): number | undefined => {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < least) {
    throw new UsageError(`--${name} takes a whole number from ${least} on, not "${value}"`)
  }
  return number
}
