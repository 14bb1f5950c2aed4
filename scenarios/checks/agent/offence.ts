import type { ProxyHandler } from '../../targets/mock/recording-proxy.ts'
import type { Ended } from './command.ts'
import type { AgentTrace, TraceEntry } from './trace.ts'

/** What an agent did that it must not: the rule, and in which exchange. */
export type Offence = Readonly<{ rule: string; says: string; entry?: TraceEntry | undefined }>

/** What an agent is judged by. */
export type Evidence = Readonly<{
  trace: AgentTrace
  journal: ReturnType<ProxyHandler['tenant']['journal']>
  ending: Pick<Ended, 'late'>
  /** The limit that applied, in seconds. */
  limit: number
  secret: string
}>

/** The rules that every agent is held to: each finds where it was broken. */
export type AgentRules = Readonly<
  Record<string, (evidence: Evidence) => readonly Omit<Offence, 'rule'>[]>
>
