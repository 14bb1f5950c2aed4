import { Script } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { figure } from '../support/figure.ts'
import { sourceNodes } from '../support/sources.ts'
import { randomFrom, size } from './sizes.ts'

/** Matching texts tried for each expression. */
const samples = size('REGEX_SAMPLES', 3, 6)

/** Takes quadratic time. Why no caller can exploit that: */
const slow: Readonly<Record<string, string>> = {
  '/\\/+$/': 'reads URLs that the operator gives',
  '/=+$/': 'reads base64 that was written on the same line, with two = at most',
  '/([\\w-]+)"?\\s*[:=]\\s*"?$/': 'reads 64 characters at most',
  '/^(.*\\/api\\/v1)(\\/.*)$/': 'reads paths of our own requests',
  '/^-+|-+$/g': 'reads titles in files of the operator',
  '/-+$/': 'reads titles in files of the operator',
  '/(<!-- table: (\\w+) -->\\n)[\\s\\S]*?(\\n<!-- end -->)/g': 'reads our own pages',
  '/"(?:[^"\\\\]|\\\\.)*"[ \\t\\r\\n]*(:)?/g':
    'reads what JSON.parse has read, where every string ends',
  '/(\\d+(?:\\.\\d+)?)\\s*([a-z]+)\\s*/g': 'reads what an operator types into a field of the page',
  '/[\\w-]*$/': 'reads 100 characters at most',
  '/(?<comment>(?:^|(?<=\\s))#.*)|(?<key>[\\w-]+(?=\\s*:(?:\\s|$)))|(?<text>"[^"]*"|\'[^\']*\')|(?<variable>\\$\\{?[\\w.]+\\}?)|(?<number>\\b\\d+\\b)/g':
    'reads lines of at most 2000 characters',
  '/[\\t ]*(?=,|$)/y': 'sticky, so it begins at one place, in a header field of at most 16 KiB',
  "/([\\w!#$%&'*+.^`|~-]+)(?: +(?=[^\\t ,=])|(?=[\\t ]*(?:,|$)))/y":
    'sticky, so it begins at one place, in a header field of at most 16 KiB',
  '/[\\w.~+/-]+=*(?=[\\t ]*(?:,|$))/y':
    'sticky, so it begins at one place, in a header field of at most 16 KiB',
  "/([\\w!#$%&'*+.^`|~-]+)[\\t ]*=[\\t ]*/y":
    'sticky, so it begins at one place, in a header field of at most 16 KiB',
}

/** Is created at run time. Why no caller chooses its pattern, or it is never matched: */
const made: Readonly<Record<string, string>> = {
  'scenarios/language/match.ts': 'of a scenario, which the operator gives',
  'scenarios/language/save.ts': 'of a scenario, which the operator gives',
  'scenarios/policies/sample-text.ts': 'of a policy file, which the operator gives',
  'scenarios/targets/real/roles.ts': 'of names in a target file, which the operator gives',
  'scenarios/targets/real/tenants.ts': 'of a target file, which the operator gives',
  'server/http/control/docs-curl.ts': 'of our own schemas',
  'server/wire/policy.ts': 'only to see whether it is one; RE2 matches it',
}

type Regex = Readonly<{ pattern: string; flags: string }>

const regexes = new Map<string, Regex & { file: string }>()
const makers = new Set<string>()
for (const { node, file, text } of sourceNodes()) {
  if (node.regex) regexes.set(text, { ...(node.regex as Regex), file })
  const callee = node.callee as { name?: string } | undefined
  if (callee?.name === 'RegExp') makers.add(file)
}

const replacing = new Script('text.replace(regex, "")')

/** Milliseconds; Infinity if it had to be stopped. */
const timed = (regex: RegExp, text: string): number => {
  Object.assign(globalThis, { regex, text })
  const start = performance.now()
  try {
    replacing.runInThisContext({ timeout: 5000 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown
    return Number.POSITIVE_INFINITY
  }
  return performance.now() - start
}

/** The best of three: other processes only make it longer. */
const atBest = (regex: RegExp, text: string): number =>
  Math.min(...[1, 2, 3].map(() => timed(regex, text)))

/** Texts that it matches, as far as fast-check can generate them, and its own source. */
const samplesOf = ({ pattern, flags }: Regex): string[] => {
  const plain = pattern.replaceAll(/\(\?<?[=!](?:[^()[\]\\]|\\.|\[[^\]]*\])*\)|\\[bB]/g, '')
  try {
    const matching = fc.stringMatching(new RegExp(plain, flags.replaceAll(/[gimy]/g, '')))
    return [...fc.sample(matching, { numRuns: samples, seed: 1 }), pattern.replaceAll('\\', '')]
  } catch {
    return [pattern.replaceAll('\\', '')]
  }
}

/**
 * Pieces that are repeated to keep it busy: single characters of matching texts, and parts of
 * these.
 */
const pumpsOf = (samples: readonly string[]): Set<string> => {
  const random = randomFrom(1)
  const pumps = new Set(['a', ' ', '\n'])
  for (const sample of samples) {
    const text = sample.slice(0, 60)
    for (const character of text.slice(0, 30)) pumps.add(character)
    for (let end = 2; end <= 40; end += 1) if (text) pumps.add(text.slice(0, end))
    for (const piece of [text, text.slice(1), text.slice(0, -1)]) if (piece) pumps.add(piece)
    for (let count = 0; count < 8; count += 1) {
      const at = Math.floor(random() * text.length)
      const piece = text.slice(at, at + 2 + Math.floor(random() * 20))
      if (piece) pumps.add(piece)
    }
  }
  return pumps
}

/** Builds a text for which four times the length takes more than eight times as long. */
const attackOn = (it: Regex): { tried: number; pump?: string } => {
  const regex = new RegExp(it.pattern, it.flags.replace('y', ''))
  const samples = samplesOf(it)
  let tried = 0
  for (const pump of pumpsOf(samples)) {
    for (const [head, tail] of [
      ['', '\0'],
      [samples[0]?.slice(0, 8) ?? '', '\n!'],
    ] as const) {
      tried += 1
      const text = (length: number) =>
        head + pump.repeat(Math.ceil(length / pump.length)).slice(0, length) + tail
      const took = timed(regex, text(32_768))
      if (took < 5) continue
      if (took === Number.POSITIVE_INFINITY) return { tried, pump }
      // Twice, because another process can slow one of the measurements; with a shorter text where the
      // long one took so long that a quarter of it can be measured, too.
      const length = took > 200 ? 8192 : 32_768
      const isSlow = () => {
        const best = atBest(regex, text(length))
        return best > 5 && best > 8 * atBest(regex, text(length / 4))
      }
      if (isSlow() && isSlow()) return { tried, pump }
    }
  }
  return { tried }
}

describe('a regular expression', () => {
  it('takes linear time, or matches no text from callers', () => {
    let texts = 0
    const found = [...regexes].flatMap(([text, regex]) => {
      const { tried, pump } = attackOn(regex)
      texts += tried
      return pump === undefined ? [] : [{ text, file: regex.file, pump }]
    })

    figure('regular expressions', { different: regexes.size, texts, slow: found.length })
    expect(found.filter(({ text }) => !Object.hasOwn(slow, text))).toEqual([])
    expect(Object.keys(slow).filter((text) => !regexes.has(text))).toEqual([])
  })

  it('with quadratic time is detected', () => {
    const known: Regex[] = [
      { pattern: '(a+)+$', flags: '' },
      { pattern: '\\s+$', flags: '' },
      { pattern: '<!-- [\\s\\S]*? -->', flags: 'g' },
    ]

    expect(known.map((it) => attackOn(it).pump)).not.toContain(undefined)
  })

  it('created at run time has no pattern from callers', () => {
    expect([...makers].sort()).toEqual(Object.keys(made).sort())
  })
})
