import type { ProxyHandler } from '../../targets/mock/recording-proxy.ts'
import type { Ended } from './command.ts'
import type { AgentTrace, TraceEntry } from './trace.ts'

/** A broken rule, and the exchange that broke it. Without a rule: the agent did nothing that breaks one. */
export type Offence = Readonly<{
  rule?: string | undefined
  says: string
  entry?: TraceEntry | undefined
}>

/** The input of the rules. */
export type Evidence = Readonly<{
  trace: AgentTrace
  journal: ReturnType<ProxyHandler['tenant']['journal']>
  ending: Pick<Ended, 'late'>
  /** The limit that applied, in seconds. */
  limit: number
  secret: string
}>

/** The rules for every agent. Each returns its offences. */
export type AgentRules = Readonly<
  Record<string, (evidence: Evidence) => readonly Omit<Offence, 'rule'>[]>
>
