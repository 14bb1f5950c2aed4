/** Escapes text for one line of Markdown, such as a table cell. */
export const escapeMarkdown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_|[\]]/g, '\\$&')
    .replaceAll('\n', ' ')
