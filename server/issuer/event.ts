import type {
  Actor,
  ApproverScript,
  AuthorizationDetail,
  Dialect,
  Explanation,
  Policy,
  RateLimits,
  RiskLevel,
} from '../wire/index.ts'

/** A public key as the client gave it (RFC 7517). */
export type ClientKey = Readonly<Record<string, unknown>>

/** Whoever may come to the token endpoint. Secrets are kept as SHA-256 only. */
export type Client = Readonly<{
  name: string
  clientId: string
  /** Absent for a public client, and for one that has only keys. */
  secretHash?: string
  /** For `private_key_jwt`. */
  keys?: readonly ClientKey[]
  /** The scopes it may ask for. */
  capabilities: readonly string[]
  redirectUris?: readonly string[]
  /** Absent: all that the token endpoint knows. */
  grantTypes?: readonly string[]
  /** When it registered itself, in epoch seconds. */
  registeredAt?: number
  /** How it authenticates, where it registered itself. */
  authMethod?: string
  /** The SHA-256 of the token by which it reads and changes its registration (RFC 7592). */
  registrationHash?: string
  /** It registered itself (RFC 7591): a token that it gets for a person carries no permission of theirs. */
  selfRegistered?: true
}>

/** An OAuth client that acts by itself, or for a user. */
export type Agent = Client &
  Readonly<{
    id: string
    secretHash: string
    mayDelegate: boolean
    /** What it is called for people, where that is no plain `name`. */
    displayName?: string
    budget?: Budget
    /** The client of a resource server: it introspects, and opens no tasks. */
    resourceServer?: true
    /** The id of the agent that registered it. */
    parent?: string
  }>

/**
 * What an agent may use up. The issuer counts what it sees: tokens it issued and calls it answered;
 * the rest is for whoever asks.
 */
export type Budget = Readonly<{
  tokensPerDay?: number
  callsPerHour?: number
  costPerMonth?: number
  models?: readonly string[]
  approvalAbove?: number
}>

/** A person. Who holds `jit.approve` is an approver. */
export type User = Readonly<{
  id: string
  email: string
  name: string
  permissions: readonly string[]
  roles?: readonly string[]
  picture?: string
  updatedAt?: number
}>

/** A key for the tenant's own back ends; it stands for an agent where it names one. */
export type ApiKey = Readonly<{
  name: string
  hash: string
  agentId?: string
  permissions: readonly string[]
}>

/** A server that agents get tokens for by its id (contract §2.5). */
export type McpServer = Readonly<{
  /** `mcp_` and 24 hexadecimal digits, or whatever the seed says. */
  id: string
  name: string
  description: string
  resourceUri: string
  scopes: readonly string[]
  /** Seconds its tokens live. */
  tokenLifetime: number
  /** Ids of the agents that may have them; absent: all. */
  agents?: readonly string[]
  createdAt: number
}>

/** A platform whose word for a workload's identity is taken (contract §2.1). */
export type WorkloadTrust = Readonly<{
  provider: string
  issuer: string
  subject: string
  agentId: string
  keys: readonly ClientKey[]
}>

/** What a person has allowed a client. All tokens drawn from it die with it. */
export type Grant = Readonly<{
  id: string
  clientId: string
  userId: string
  scope: string
  /** The code that stands for it once; kept as SHA-256 only. */
  codeHash: string
  codeExpiresAt: number
  redirectUri: string
  /** Of PKCE, by S256 (RFC 7636 §4.2). */
  challenge?: string
  nonce?: string
  audience?: readonly string[]
  details?: readonly AuthorizationDetail[]
  /** The only agent that may act on it. */
  mayAct?: string
  givenAt: number
}>

/** A device that waits for a person (RFC 8628); its code is kept as SHA-256 only. */
export type Device = Readonly<{
  codeHash: string
  userCode: string
  clientId: string
  scope: string
  expiresAt: number
}>

/** Parameters of an authorization request that was pushed (RFC 9126). */
export type PushedRequest = Readonly<{
  uri: string
  clientId: string
  parameters: Readonly<Record<string, string | readonly string[]>>
  expiresAt: number
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

/** A question an agent has put to the person it acts for, on their own device. */
export type Approval = Readonly<{
  id: string
  agentId: string
  userId: string
  /** The agent's own name for what it is about. */
  task: string
  reason: string
  impact: RiskLevel
  meta?: Readonly<Record<string, unknown>>
  askedAt: number
  expiresAt: number
}>

/** Somebody who wants to be told what ended (SSF). */
export type Stream = Readonly<{
  id: string
  /** Whose it is. */
  clientId: string
  /** The only agent it hears of; absent: all. */
  agentId?: string
  issuer: string
  audience: readonly string[]
  /** Event types that were asked for and are known. */
  events: readonly string[]
  /** Where signals are sent; absent: they wait to be fetched. */
  endpoint?: string
  /** Pushes carry an `Authorization`, which is kept elsewhere. */
  authorized?: true
  createdAt: number
}>

/** One security event, before it is signed. */
export type Signal = Readonly<{
  /** Its place in the journal, behind the stream it waits in. */
  jti: string
  at: number
  event: 'session-revoked' | 'token-claims-change' | 'verification'
  about:
    | { taskId: string; caepSessionId: string; sub: string }
    | { tokenId: string; sub: string }
    | { streamId: string }
  by: 'admin' | 'user' | 'policy' | 'system'
  reason: string
  /** Echoed by a verification. */
  state?: string
}>

/** What is remembered of an access token; the token itself is not. */
export type Token = Readonly<{
  jti: string
  kind: 'agent' | 'client' | 'user' | 'jit' | 'delegated'
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
  /** What a person consented to, of tokens that are no JIT tokens. */
  details?: readonly AuthorizationDetail[]
  /** What it is good for; absent: this issuer and the API. */
  audience?: readonly string[]
  /** Of a token that is addressed to its own agent: where it may be exchanged for at most; absent: anywhere. */
  reach?: readonly string[]
  /** Who acts for the subject. */
  act?: Actor
  /** The only one who may act for the subject (RFC 8693 §4.4). */
  mayAct?: string
  grantId?: string
}>

export type RevocationReason =
  | 'task_completed'
  | 'task_suspended'
  | 'revoked_by_client'
  | 'revoked_by_approver'
  | 'grant_revoked'
  | 'code_reused'
  | 'refresh_token_reused'

/** Everything that can happen in a tenant. */
export type Event =
  | {
      type: 'tenant.seeded'
      agents: readonly Agent[]
      users: readonly User[]
      applications?: readonly Client[]
      apiKeys?: readonly ApiKey[]
      mcpServers?: readonly McpServer[]
      workloads?: readonly WorkloadTrust[]
    }
  | { type: 'policy.replaced'; policy: Policy }
  | { type: 'dialect.set'; dialect: Dialect }
  | { type: 'approver.scripted'; script: ApproverScript }
  | { type: 'client.registered'; client: Client }
  | { type: 'client.deleted'; clientId: string }
  /** It does not sign yet. */
  | { type: 'key.published'; kid: string; alg: string }
  /** It signs from now on, and is published from now on if it was not before. */
  | { type: 'key.rotated'; kid: string; alg: string }
  | { type: 'key.retired'; kid: string }
  | { type: 'assertion.used'; clientId: string; jti: string; expiresAt: number }
  | { type: 'authorization.pushed'; pushed: PushedRequest }
  | { type: 'device.asked'; device: Device }
  | { type: 'device.denied'; codeHash: string }
  | { type: 'grant.given'; grant: Grant }
  | { type: 'grant.redeemed'; grantId: string }
  | { type: 'grant.refreshable'; grantId: string; refreshHash: string; expiresAt: number }
  | { type: 'grant.revoked'; grantId: string; reason: RevocationReason }
  /** Somebody let time pass: so many seconds. */
  | { type: 'clock.moved'; by: number }
  | { type: 'task.opened'; task: Task }
  | { type: 'permission.requested'; request: PermissionRequest; score: number }
  | {
      type: 'permission.endorsed'
      requestId: string
      taskId: string
      by: string
      /** The only actions this person permits; absent: all that were requested. */
      actions?: readonly string[]
    }
  | {
      type: 'permission.approved'
      requestId: string
      taskId: string
      by: string
      ttl: number
      /** What was granted, where it is less than what was requested. */
      detail?: AuthorizationDetail
      /** For people: the approver's own words. */
      notes?: string
      /** For the agent. */
      message?: string
    }
  | {
      type: 'permission.denied'
      requestId: string
      taskId: string
      by: string
      /** For people; a denial by policy shows it to the agent too. */
      reason?: string
      /** For the agent. */
      message?: string
      score: number
      /** The request whose denial this is a part of; it does not count again. */
      repeats?: string
    }
  /** A person takes an approval back; its tokens are revoked with it. */
  | { type: 'permission.revoked'; requestId: string; taskId: string; by: string }
  | { type: 'token.issued'; token: Token; taskId?: string; requestId?: string }
  | { type: 'token.revoked'; jti: string; reason: RevocationReason; taskId?: string }
  | { type: 'limits.set'; limits: RateLimits }
  | { type: 'agent.registered'; agent: Agent; by: string }
  | {
      type: 'agent.asked'
      agentId: string
      auditId: string
      action: string
      allowed: boolean
      reason: string
    }
  | { type: 'approval.asked'; approval: Approval }
  | { type: 'approval.answered'; approvalId: string; as: 'approved' | 'denied'; by: string }
  | {
      type: 'callback.delivered'
      requestId: string
      taskId: string
      deliveryId: string
      attempt: number
      status: number
    }
  | {
      type: 'callback.failed'
      requestId: string
      taskId: string
      deliveryId: string
      attempt: number
      reason: string
      /** Nobody will try again. */
      final: boolean
    }
  | { type: 'stream.created'; stream: Stream }
  | { type: 'stream.deleted'; streamId: string }
  | { type: 'stream.verified'; streamId: string; state?: string }
  | { type: 'signal.delivered'; streamId: string; jti: string; attempt: number }
  | {
      type: 'signal.failed'
      streamId: string
      jti: string
      attempt: number
      reason: string
      final: boolean
    }
  | { type: 'signal.acknowledged'; streamId: string; jtis: readonly string[] }
  | { type: 'task.evaluated'; taskId: string; result?: string; notes?: string }
  | { type: 'task.completed'; taskId: string }
  | { type: 'task.suspended'; taskId: string; reason: string; by?: string }

export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

/** An event with its place in the journal; `at` is epoch seconds of the tenant's clock. */
export type Entry = Event & Readonly<{ seq: number; at: number }>
