import { spellInvisible } from '../../server/wire/inert-text.ts'

/** Escapes text for one line of Markdown, such as a table cell; foreign text is inert. */
export const escapeMarkdown = (text: string): string =>
  spellInvisible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_|[\]]/g, '\\$&')
    .replaceAll(/[\n\r]+/g, ' ')
