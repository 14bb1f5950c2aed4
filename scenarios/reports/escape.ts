/** Text for one line of Markdown, such as a table cell: no character of it is markup or HTML. */
export const escapeMarkdown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_|[\]]/g, '\\$&')
    .replaceAll('\n', ' ')
