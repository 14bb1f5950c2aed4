/** The first sentences of a text, as many whole ones as fit; if the first is too long, its first words. */
export const summarise = (text: string, maxWords: number): { summary: string; words: number } => {
  const sentences = text.split(/(?<=[.!?…])\s/u)
  const [first = [], ...others] = sentences.map(wordsOf)
  if (first.length > maxWords) {
    return { summary: `${first.slice(0, maxWords).join(' ')} …`, words: maxWords }
  }
  const words = [...first]
  for (const sentence of others) {
    if (words.length + sentence.length > maxWords) break
    words.push(...sentence)
  }
  return { summary: words.join(' '), words: words.length }
}

export const wordsOf = (text: string) => text.split(/\s/u).filter((word) => word !== '')
