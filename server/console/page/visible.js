/**
 * Splits a text into visible parts, and characters that are invisible or reorder others: controls,
 * bidirectional marks, zero-width and unassigned characters, unusual spaces.
 *
 * @param {{lines?: boolean}} [options] `lines`: prose, whose line breaks and tabs stay
 * @returns {{text?: string, code?: string}[]} each with a text, or a code such as `U+202E`
 */
export const segmentsOf = (text, { lines = false } = {}) => {
  const segments = []
  const characters = [...String(text)]
  for (const [at, character] of characters.entries()) {
    const last = segments.at(-1)
    if (!isHidden(character, characters[at - 1], characters[at + 1], lines)) {
      if (last?.text === undefined) segments.push({ text: character })
      else last.text += character
    } else {
      segments.push({ code: codeOf(character) })
    }
  }
  return segments
}

const invisible =
  /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]|[\u115f\u1160\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5|\p{Variation_Selector}/u
const oddSpace = /(?! )\p{Zs}/u
const picture = /\p{Extended_Pictographic}|\p{Emoji_Modifier}/u

const isHidden = (character, before = '', after = '', lines = false) => {
  if (lines && (character === '\n' || character === '\t')) return false
  // Emoji are joined with these two, which hide nothing between pictures.
  if (character === '\u200d')
    return !(
      picture.test(after) && /[\ufe0f\p{Extended_Pictographic}\p{Emoji_Modifier}]/u.test(before)
    )
  if (character === '\ufe0f') return !picture.test(before)
  if (character === ' ') return !lines && (before === '' || after === '' || before === ' ')
  return invisible.test(character) || (!lines && oddSpace.test(character))
}

const codeOf = (character) =>
  `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`
