export type Bar = Readonly<{ group: string; name: string; value: number; isOurs: boolean }>

/** Horizontal bars, as an SVG that reads well on dark and on light. */
export const chart = (title: string, unit: string, bars: readonly Bar[]): string => {
  const most = Math.max(...bars.map(({ value }) => value))
  const groups = [...new Set(bars.map(({ group }) => group))]
  const lines: string[] = []
  let y = 34
  for (const group of groups) {
    lines.push(`<text class="group" x="8" y="${y + 13}">${escaped(group)}</text>`)
    y += 22
    for (const { name, value, isOurs } of bars.filter((bar) => bar.group === group)) {
      const width = Math.max(1, Math.round((value / most) * 340))
      lines.push(
        `<text x="196" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${isOurs ? 'ours' : 'other'}" x="204" y="${y}" width="${width}" height="17" rx="2"/>`,
        `<text x="${210 + width}" y="${y + 13}">${value.toFixed(0)}</text>`,
      )
      y += 22
    }
    y += 8
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 ${y}" role="img" aria-label="${escaped(title)}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title, .group { font-weight: 600 }
  .ours { fill: #2563eb }
  .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #60a5fa }
    .other { fill: #6e7681 }
  }
</style>
<text class="title" x="8" y="20">${escaped(title)} (${escaped(unit)})</text>
${lines.join('\n')}
</svg>
`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
