import type { ModelReply, ModelScript, ReplyCondition, ToolCall, Turn } from '../wire/index.ts'
import { parseJson } from '../wire/json.ts'

/** The input of a script: model, tools, and the turns so far. */
export type Question = Readonly<{
  model: string
  tools: readonly string[]
  turns: readonly Turn[]
}>

/** The reply, or why the script has none. */
export type Said =
  | Readonly<{ text: string; calls: readonly ToolCall[] }>
  | Readonly<{ unforeseen: string }>

/**
 * The first matching reply that was not yet used. The conversation itself shows which replies were
 * used.
 */
export const nextReply = (script: ModelScript, question: Question): Said => {
  const given = findUsedReplies(script.replies, question.turns)
  const misses: string[] = []
  for (const [at, reply] of script.replies.entries()) {
    const why = given.has(at) ? 'already given' : findMissingCondition(reply.when, question)
    if (why === undefined) return fillReply(reply, at, question)
    misses.push(`${at + 1}: ${why}`)
  }
  return {
    unforeseen: `the script has no reply to this conversation. Last message: ${quoted(question.turns.at(-1))}. Replies: ${misses.join('; ')}. Add one to replies, such as ${suggestion(question)}`,
  }
}

/** A matching entry for `replies`, as YAML on one line. */
const suggestion = ({ tools, turns }: Question): string => {
  const last = turns.at(-1)
  const text = Array.from(last?.text ?? '')
  const key = last?.role === 'tool' ? 'tool_result_contains' : 'last_message_contains'
  const condition =
    text.length === 0
      ? `turn: ${turnOf(turns)}`
      : `${key}: ${JSON.stringify(text.slice(0, 40).join(''))}`
  const [tool] = tools
  const reply =
    tool === undefined || last?.role === 'tool'
      ? 'say: "…"'
      : `call: { name: ${JSON.stringify(tool)}, arguments: {} }`
  return `- { when: { ${condition} }, ${reply} }`
}

/** Each turn of the model uses up the first reply that equals it. */
const findUsedReplies = (
  replies: readonly ModelReply[],
  turns: readonly Turn[],
): ReadonlySet<number> => {
  const given = new Set<number>()
  for (const turn of turns) {
    if (turn.role !== 'assistant') continue
    const at = replies.findIndex((reply, at) => !given.has(at) && matchesTurn(reply, turn))
    if (at >= 0 && !replies[at]?.repeat) given.add(at)
  }
  return given
}

const matchesTurn = (reply: ModelReply, { text, calls = [] }: Turn): boolean => {
  const expected = callsOf(reply)
  if (expected.length !== calls.length) return false
  if (expected.length === 0) return isLike(reply.say, text)
  return expected.every(
    ({ name, arguments: args }, at) =>
      calls[at]?.name === name && isLike(args, calls[at]?.arguments),
  )
}

const callsOf = ({ call = [] }: ModelReply): readonly ToolCall[] => [call].flat()

const placeholder = /\$\{tool_result((?:\.\w+)*)\}/g

/** Whether a value equals the pattern with its placeholders filled in. */
const isLike = (pattern: unknown, value: unknown): boolean => {
  if (typeof pattern === 'string' && typeof value === 'string') {
    const [first = '', ...others] = pattern.replace(placeholder, '\0').split('\0')
    if (others.length === 0) return value.trim() === first.trim()
    const last = others.pop() ?? ''
    let at = first.length
    if (!value.startsWith(first)) return false
    for (const part of others) {
      at = value.indexOf(part, at)
      if (at < 0) return false
      at += part.length
    }
    return value.trimEnd().endsWith(last.trimEnd()) && value.length >= at + last.trimEnd().length
  }
  if (typeof pattern !== 'object' || pattern === null) return pattern === value
  if (typeof value !== 'object' || value === null) return false
  const [these, those] = [Object.entries(pattern), new Map(Object.entries(value))]
  return these.length === those.size && these.every(([key, it]) => isLike(it, those.get(key)))
}

/** The condition that does not hold; undefined when all do. */
const findMissingCondition = (when: ReplyCondition = {}, { model, tools, turns }: Question) => {
  const results = newResults(turns).map(({ text }) => text)
  const inOneOf = (texts: readonly string[]) => (text: string) =>
    texts.some((it) => it.includes(text))
  const checks: [string, string | readonly string[] | undefined, (text: string) => boolean][] = [
    ['tool_result_contains', when.tool_result_contains, inOneOf(results)],
    ['last_message_contains', when.last_message_contains, inOneOf([turns.at(-1)?.text ?? ''])],
    [
      'conversation_contains',
      when.conversation_contains,
      inOneOf(turns.map(({ text, calls = [] }) => `${text} ${JSON.stringify(calls)}`)),
    ],
    ['offers', when.offers, (name) => tools.includes(name)],
    ['model', when.model, (name) => name === model],
    ['turn', when.turn?.toString(), (turn) => turn === String(turnOf(turns))],
  ]
  for (const [name, wanted = [], holds] of checks) {
    const unmet = [wanted].flat().find((text) => !holds(text))
    if (unmet !== undefined) return `${name} ${JSON.stringify(unmet)} does not hold`
  }
  return undefined
}

const turnOf = (turns: readonly Turn[]) =>
  1 + turns.filter(({ role }) => role === 'assistant').length

/** The tool results since the model's last turn. */
const newResults = (turns: readonly Turn[]): readonly Turn[] =>
  turns
    .slice(turns.findLastIndex(({ role }) => role === 'assistant') + 1)
    .filter(({ role }) => role === 'tool')

const fillReply = (reply: ModelReply, at: number, { turns }: Question): Said => {
  const results = turns.filter(({ role }) => role === 'tool').reverse()
  const newest =
    newResults(turns)
      .map(({ text }) => text)
      .join('\n') || results[0]?.text
  const gaps: string[] = []
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value.replace(placeholder, (whole, path: string) => {
        const [, ...names] = path.split('.')
        const found =
          names.length === 0
            ? newest
            : results.map(({ text }) => memberOf(text, names)).find((it) => it !== undefined)
        if (found === undefined) gaps.push(whole)
        return typeof found === 'string' ? found : JSON.stringify(found)
      })
    }
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, fill(it)]))
  }
  const said = {
    text: String(fill(reply.say ?? '')),
    calls: callsOf(reply).map((call) => ({
      ...call,
      arguments: fill(call.arguments) as ToolCall['arguments'],
    })),
  }
  if (gaps.length === 0) return said
  return {
    unforeseen: `reply ${at + 1} uses ${gaps[0]}, which no tool result contains. Newest result: ${quoted(results[0])}. Give the reply a condition, such as when: { tool_result_contains: "…" }`,
  }
}

/** A member of a result, also when a framework has wrapped the result: `{"result": "{…}"}`. */
const memberOf = (result: string, path: readonly string[]): unknown => {
  let value: unknown = result
  for (let depth = 0; depth < 4; depth += 1) {
    if (typeof value === 'string') value = parseJson(value)
    const found = path.reduce<unknown>(
      (it, key) => (typeof it === 'object' && it !== null ? it[key as keyof typeof it] : undefined),
      value,
    )
    if (found !== undefined) return found
    const members = typeof value === 'object' && value !== null ? Object.values(value) : []
    if (members.length !== 1) return undefined
    value = members[0]
  }
  return undefined
}

const quoted = (turn: Turn | undefined): string => {
  if (turn === undefined) return 'none'
  const text = turn.text.length > 300 ? `${turn.text.slice(0, 299)}…` : turn.text
  return `${turn.role}, ${JSON.stringify(text)}`
}
