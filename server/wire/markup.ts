import { spellInvisible } from './inert-text.ts'

/** Text that is markup already. Everything else becomes text. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | undefined | false | readonly Part[]

/** HTML or SVG in which every value is text, unless it is markup already. */
export const markup = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.reduce((text, string, index) => text + renderPart(parts[index - 1]) + string))

const renderPart = (part: Part): string => {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'string' || typeof part === 'number')
    return escapeHtml(spellInvisible(String(part)))
  return part.map(renderPart).join('')
}

/** Text between two tags, where quotes may stand as they are: shorter than `markup` for much JSON. */
export const textBetweenTags = (text: string): Markup =>
  new Markup(spellInvisible(text).replaceAll(/[&<>]/g, (it) => `&#${it.charCodeAt(0)};`))

/** A value exactly as it is, for a form field that is sent back. */
export const exactly = (text: string): Markup => new Markup(escapeHtml(text))

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`)
