import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { parseBase, parseHttpOrigin } from '../../../server/wire/base-url.ts'
import { didYouMean } from '../../../server/wire/closest.ts'

/** Parses a whole number within limits. @throws {InvalidArgumentError} */
export const wholeNumber =
  ({ from = 1, to }: { from?: number; to?: number } = {}) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= from && number <= (to ?? Number.MAX_SAFE_INTEGER)) {
      return number
    }
    throw new InvalidArgumentError(
      `Expected a whole number ${to === undefined ? `≥ ${from}` : `from ${from} to ${to}`}.`,
    )
  }

/** Parses an origin, such as `http://127.0.0.1:4400`. @throws {InvalidArgumentError} */
export const origin = (text: string): string => {
  const base = parseBase(text)
  if (base !== undefined && base === new URL(base).origin) return base
  throw new InvalidArgumentError('Expected an origin, such as http://127.0.0.1:4400.')
}

/** Parses an origin, perhaps with a path in front of ours. @throws {InvalidArgumentError} */
export const baseUrl = (text: string): string => {
  const base = parseBase(text)
  if (base !== undefined) return base
  throw new InvalidArgumentError(
    'Expected an origin, perhaps with a path, such as http://localhost:8080/auth.',
  )
}

/** Parses an origin of plain HTTP, such as `http://10.0.0.7:4400`. @throws {InvalidArgumentError} */
export const httpOrigin = (text: string): string => {
  const found = parseHttpOrigin(text)
  if (found !== undefined) return found
  throw new InvalidArgumentError('Expected an origin of plain HTTP, such as http://10.0.0.7:4400.')
}

/** Accepts one of these words. The error for another word names the closest one. @throws {InvalidArgumentError} */
const oneOf = <const V extends string>(
  text: string,
  values: readonly V[],
  renamed: Readonly<Record<string, V>> = {},
): V => {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  const hint = Object.hasOwn(renamed, text)
    ? `; ${text} is named ${renamed[text]} now`
    : didYouMean(text, values)
  throw new InvalidArgumentError(`Expected ${values.join(', ')}${hint}`)
}

/** An option that takes one of some words. `renamed` has the words of earlier versions. */
export const choiceOption = <const Flags extends string, const V extends string>(
  flags: Flags,
  description: string,
  values: readonly V[],
  renamed?: Readonly<Record<string, V>>,
) =>
  new Option(flags, description)
    .choices(values)
    .argParser((text: string): V => oneOf(text, values, renamed))

/** Keeps every value of an option that may be repeated. */
export const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

/** A report and where it goes: a file, or the standard output. */
export type ReportOrder<Format extends string> = Readonly<{
  format: Format
  file: string | undefined
}>

/** The option `--report FORMAT` or `--report FORMAT=FILE`, which may be repeated. */
export const reportOption = <const Format extends string>(formats: readonly Format[]) =>
  new Option(
    '--report <report>',
    `FORMAT or FORMAT=FILE; without a file to the standard output. FORMAT is ${formats.join(', ')}; may be repeated`,
  ).argParser(
    (text: string, before: readonly ReportOrder<Format>[] = []): readonly ReportOrder<Format>[] => {
      const [name = '', ...rest] = text.split('=')
      const file = rest.length === 0 ? undefined : rest.join('=')
      return [...before, { format: oneOf(name, formats), file }]
    },
  )
