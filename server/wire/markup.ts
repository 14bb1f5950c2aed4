import { spellInvisible } from './inert-text.ts'

/** Text that is already markup. Everything else is escaped. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | undefined | false | readonly Part[]

/** HTML or SVG in which every value is escaped, unless it is already markup. */
export const markup = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.reduce((text, string, index) => text + renderPart(parts[index - 1]) + string))

const renderPart = (part: Part): string => {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'string' || typeof part === 'number')
    return escapeHtml(spellInvisible(String(part)))
  return part.map(renderPart).join('')
}

/** The paragraphs of a text in plain Markdown: code, bold and italic words, no other marks. */
export const proseOf = (text: string): Markup =>
  markup`${text.split(/\n{2,}/).map((it) => markup`<p>${inlineOf(it)}</p>`)}`

/** One line of plain Markdown. */
export const inlineOf = (text: string): Markup =>
  markup`${text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/).map((part) => {
    if (/^`[^`]+`$/.test(part)) return markup`<code>${part.slice(1, -1)}</code>`
    if (/^\*\*[^*]+\*\*$/.test(part)) return markup`<b>${part.slice(2, -2)}</b>`
    return /^\*[^*]+\*$/.test(part) ? markup`<i>${part.slice(1, -1)}</i>` : part
  })}`

/** Text between two tags, where quotes may stand as they are: shorter than `markup` for much JSON. */
export const textBetweenTags = (text: string): Markup =>
  new Markup(spellInvisible(text).replaceAll(/[&<>]/g, (it) => `&#${it.charCodeAt(0)};`))

/** Escapes a value for a form field without any other change, because the browser sends it back. */
export const exactly = (text: string): Markup => new Markup(escapeHtml(text))

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`)
