import type { Turn } from '../../wire/index.ts'
import type { Answer } from '../message.ts'

/** The answer of a model, before it is written in the form of an API. */
export type ModelAnswer = Readonly<{
  /** Unique in its tenant. Ids are derived from it. */
  seq: number
  at: number
  model: string
  turn: Turn
  usage: Readonly<{ input: number; output: number }>
}>

/**
 * Splits text into pieces of a few characters, never within a code point, so that clients must join
 * several pieces. Long text has longer pieces: a thousand at most.
 */
export const pieces = (text: string): string[] => {
  if (text.length <= 12_000) return text.match(/.{1,12}/gsu) ?? []
  const length = Math.ceil(text.length / 1000)
  const all: string[] = []
  for (let from = 0; from < text.length; ) {
    const end = from + length
    const isWithinPair = /[\ud800-\udbff]/.test(text.charAt(end - 1))
    all.push(text.slice(from, isWithinPair ? end + 1 : end))
    from = isWithinPair ? end + 1 : end
  }
  return all
}

/** Server-sent events as one answer. */
export const eventStream = (events: readonly string[]): Answer => ({
  status: 200,
  headers: {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
  },
  body: events.map((event) => `${event}\n\n`).join(''),
})
