import type {
  ApproverScript,
  AuthorizationDetail,
  Dialect,
  Explanation,
  Policy,
  RiskLevel,
} from '../wire/index.ts'

/** An OAuth client that acts by itself, or for a user. Secrets are kept as SHA-256 only. */
export type Agent = Readonly<{
  id: string
  name: string
  clientId: string
  secretHash: string
  capabilities: readonly string[]
  mayDelegate: boolean
  /** The client of a resource server: it introspects, and opens no tasks. */
  resourceServer?: true
}>

/** A person. Who holds `jit.approve` is an approver. */
export type User = Readonly<{
  id: string
  email: string
  name: string
  permissions: readonly string[]
}>

/** One unit of an agent's work. Every token granted to it dies with it. */
export type Task = Readonly<{
  id: string
  agentId: string
  caepSessionId: string
  name?: string
  type?: string
  parentId?: string
  /** The id of the user the agent acts for. */
  onBehalfOf?: string
  openedAt: number
  expiresAt: number
}>

/** An agent's ask for one detail within a task. */
export type PermissionRequest = Readonly<{
  id: string
  taskId: string
  agentId: string
  detail: AuthorizationDetail
  justification?: string
  callbackUrl?: string
  risk: RiskLevel
  /** What the token will get, in seconds, unless an approver says less. */
  ttl: number
  /** The most an approver may give, in seconds. */
  maxTtl: number
  approvalsRequired: number
  requestedAt: number
  /** When a person's time to decide is over. */
  expiresAt: number
  explanation: Explanation
}>

/** What is remembered of an access token; the token itself is not. */
export type Token = Readonly<{
  jti: string
  kind: 'agent' | 'user' | 'jit' | 'delegated'
  sub: string
  clientId: string
  issuedAt: number
  expiresAt: number
  scope?: string
  agentId?: string
  userId?: string
  taskId?: string
  requestId?: string
  detail?: AuthorizationDetail
}>

export type RevocationReason =
  | 'task_completed'
  | 'task_suspended'
  | 'revoked_by_client'
  | 'grant_revoked'

/** Everything that can happen in a tenant. */
export type Event =
  | { type: 'tenant.seeded'; agents: readonly Agent[]; users: readonly User[] }
  | { type: 'policy.replaced'; policy: Policy }
  | { type: 'dialect.set'; dialect: Dialect }
  | { type: 'approver.scripted'; script: ApproverScript }
  | { type: 'task.opened'; task: Task }
  | { type: 'permission.requested'; request: PermissionRequest; score: number }
  | { type: 'permission.endorsed'; requestId: string; taskId: string; by: string }
  | {
      type: 'permission.approved'
      requestId: string
      taskId: string
      by: string
      ttl: number
      notes?: string
    }
  | {
      type: 'permission.denied'
      requestId: string
      taskId: string
      by: string
      reason?: string
      score: number
    }
  | { type: 'token.issued'; token: Token; taskId?: string; requestId?: string }
  | { type: 'token.revoked'; jti: string; reason: RevocationReason; taskId?: string }
  | { type: 'task.evaluated'; taskId: string; result?: string; notes?: string }
  | { type: 'task.completed'; taskId: string }
  | { type: 'task.suspended'; taskId: string; reason: string }

export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

/** An event with its place in the journal; `at` is epoch seconds of the tenant's clock. */
export type Entry = Event & Readonly<{ seq: number; at: number }>
