/** Text that is markup already, and safe to be put into more of it. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Markup in which everything that is put in is text, unless it is markup of our own. */
export const html = (strings: TemplateStringsArray, ...values: readonly unknown[]): Markup =>
  new Markup(String.raw({ raw: strings }, ...values.map(shown)))

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(shown).join('')
  return value instanceof Markup ? value.text : escaped(String(value ?? ''))
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
