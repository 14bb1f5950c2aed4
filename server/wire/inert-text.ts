/**
 * Text of others that cannot do anything where it is shown: characters that are not seen, that turn others
 * around or that command a terminal are spelt as `⟨U+001B⟩`. Tabs and line breaks stay.
 */
export const spellInvisible = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(
      /(?![\t\n\r])\p{Cc}|[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
      spellCharacter,
    )

/**
 * The same for a terminal or the log of a CI job: no line begins like a command of a CI runner (`::…` and
 * `##[…` on GitHub, `##vso[…` on Azure, `##teamcity[…`), which runners look for behind leading blanks.
 */
export const inertText = (text: string): string =>
  spellInvisible(text.replaceAll('\r\n', '\n'))
    .replaceAll('\r', spellCharacter)
    .replaceAll(/^([\t ]*)(?=::|##)/gm, '$1\\')

const spellCharacter = (character: string): string =>
  `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`
