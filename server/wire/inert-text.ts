/**
 * Makes untrusted text safe to display: invisible, bidirectional and control characters are written as
 * `⟨U+001B⟩`. Tabs, line breaks and variation selectors (of emoji) stay.
 */
export const spellInvisible = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(
      /(?![\t\n\r])\p{Cc}|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}|[\u2028\u2029\u2800\ufff9-\ufffb]/gu,
      spellCharacter,
    )

/**
 * Makes untrusted text safe for a terminal or the log of a CI job. No line begins with a command of a
 * CI runner (`::…` and `##[…` on GitHub, `##vso[…` on Azure, `##teamcity[…`), which runners also find
 * after leading blanks.
 */
export const inertText = (text: string): string =>
  spellInvisible(text.replaceAll('\r\n', '\n'))
    .replaceAll('\r', spellCharacter)
    .replaceAll(/^([\t ]*)(?=::|##)/gm, '$1\\')

const spellCharacter = (character: string): string =>
  `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`
