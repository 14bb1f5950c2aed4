import { h } from '../../../server/console/page/dom.js'

const parts =
  /(?<comment>(?:^|(?<=\s))#.*)|(?<key>[\w-]+(?=\s*:(?:\s|$)))|(?<text>"[^"]*"|'[^']*')|(?<variable>\$\{?[\w.]+\}?)|(?<number>\b\d+\b)/g

/** A line longer than this stays plain: `parts` takes quadratic time. */
const longest = 2000

/** A line of YAML, with its parts as elements. */
export const paintLine = (line) => {
  if (line.length > longest) return [line]
  const nodes = []
  let at = 0
  for (const match of line.matchAll(parts)) {
    const [kind] = Object.entries(match.groups).find(([, it]) => it !== undefined)
    nodes.push(line.slice(at, match.index), h('span', { class: `y-${kind}` }, match[0]))
    at = match.index + match[0].length
  }
  return [...nodes, line.slice(at)]
}
