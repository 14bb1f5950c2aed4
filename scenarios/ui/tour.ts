import type { Entry } from './workspace.ts'

/** What the tour says about a scenario. */
export type TourText = Readonly<{ says: readonly string[]; try: readonly string[] }>

/**
 * The comment in front of a scenario of the tour, by paragraphs; those that begin with `Try:` are
 * suggestions.
 */
export const tourText = ({ theme }: Pick<Entry, 'theme'>, text: string): TourText | null => {
  if (theme !== 'learn') return null
  const [comment = ''] = /^(?:#.*\n)*/.exec(text) ?? []
  const paragraphs = comment
    .replace(/^# yaml-language-server.*\n/, '')
    .split(/^#[ \t]*\n/m)
    .map((it) => it.replaceAll(/^# ?/gm, '').replaceAll(/\s+/g, ' ').trim())
    .filter((it) => it !== '')
  return {
    says: paragraphs.filter((it) => !it.startsWith('Try:')),
    try: paragraphs.filter((it) => it.startsWith('Try:')).map((it) => it.replace(/^Try:\s*/, '')),
  }
}
