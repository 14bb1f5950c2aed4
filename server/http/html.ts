/** Text that is markup already, and safe to be put into more of it. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Markup in which everything that is put in is text, unless it is markup of our own. */
export const html = (strings: TemplateStringsArray, ...values: readonly unknown[]): Markup =>
  new Markup(String.raw({ raw: strings }, ...values.map(renderValue)))

const renderValue = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(renderValue).join('')
  return value instanceof Markup ? value.text : escapeHtml(String(value ?? ''))
}

const escapeHtml = (text: string) =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? '')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
