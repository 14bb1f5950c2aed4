/** Text that is markup already. Everything else becomes text. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | undefined | false | readonly Part[]

/** HTML, or SVG, in which whatever is put in is text: no value can bring markup of its own. */
export const markup = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.reduce((text, string, index) => text + renderPart(parts[index - 1]) + string))

const renderPart = (part: Part): string => {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part))
  return part.map(renderPart).join('')
}

/** As text, and so that nobody is fooled: what is not seen, or turns others around, is spelt out. */
const escapeHtml = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/(?![\t\n\r])\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, spellBidi)
    .replaceAll(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`)

const spellBidi = (character: string): string =>
  `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`
