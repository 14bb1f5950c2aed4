/** One paragraph of `CONTRACT.md`, with its anchor as Markdown viewers make it. */
export type Paragraph = Readonly<{
  anchor: string
  title: string
  section: string
  text: string
  line: number
}>

/** The paragraphs of `CONTRACT.md` in its order, by anchor. */
export type Contract = ReadonlyMap<string, Paragraph>

/** Reads the text of `CONTRACT.md`. */
export const readContract = (markdown: string): Contract => {
  const contract = new Map<string, Paragraph>()
  let section = ''
  let heading: Readonly<{ title: string; line: number }> | undefined
  let lines: string[] = []
  const end = () => {
    if (heading === undefined) return
    const anchor = anchorOf(heading.title)
    contract.set(anchor, { anchor, section, ...heading, text: lines.join('\n').trim() })
    heading = undefined
  }
  for (const [at, line] of markdown.split('\n').entries()) {
    const [, marks, title = ''] = /^(#{2,3}) (.+)$/.exec(line) ?? []
    if (marks === undefined) lines.push(line)
    else end()
    if (marks === '##') section = title
    if (marks === '###') {
      heading = { title, line: at + 1 }
      lines = []
    }
  }
  end()
  return contract
}

const anchorOf = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

const paragraphs = /^CONTRACT\.md#([\w-]+)$/

/** Standards that a source may name, with their clauses. */
const standards =
  /^(?:RFC \d+|SSF 1\.0|CAEP Interoperability Profile|OpenID Connect (?:Core|CIBA Core|RP-Initiated Logout)|OAuth 2\.1|OAuth 2\.0 for Browser-Based Applications|Fetch|AuthZEN Authorization API 1\.0|draft-[\w-]+)(?: §[\w.]+(?:, §[\w.]+)*)?$/

/** Whether a source consists of paragraphs of the contract and clauses of standards. */
export const isSource = (source: string): boolean =>
  source.split('; ').every((it) => paragraphs.test(it) || standards.test(it))

/** One part of a source: its text, and what it links to. */
export type SourceLink = Readonly<{ text: string; anchor?: string; url?: string }>

/** The parts of a source: paragraphs of the contract by anchor, standards by the URL of the clause. */
export const linksOf = (source: string): readonly SourceLink[] =>
  source.split('; ').map((text) => {
    const anchor = paragraphs.exec(text)?.[1]
    if (anchor !== undefined) return { text, anchor }
    const [, number, clause] = /^RFC (\d+)(?: §(\w[\w.]*))?/.exec(text) ?? []
    if (number !== undefined) {
      const at = clause === undefined ? '' : `#section-${clause}`
      return { text, url: `https://www.rfc-editor.org/rfc/rfc${number}${at}` }
    }
    const [draft] = /^draft-[\w-]+/.exec(text) ?? []
    if (draft !== undefined) {
      return { text, url: `https://datatracker.ietf.org/doc/html/${draft}` }
    }
    return { text }
  })
