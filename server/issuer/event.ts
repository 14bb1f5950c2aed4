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

/** A public key as the client sent it (RFC 7517). */
export type ClientKey = Readonly<Record<string, unknown>>

/** A registered OAuth client. Secrets are stored as SHA-256 only. */
export type Client = Readonly<{
  name: string
  clientId: string
  /** Absent for a public client, and for a client that has only keys. */
  secretHash?: string
  /** Keys for `private_key_jwt`. */
  keys?: readonly ClientKey[]
  /** Where it publishes these keys, instead of `keys`. */
  jwksUri?: string
  /** The scopes it may request. */
  capabilities: readonly string[]
  redirectUris?: readonly string[]
  /** Where a logout may redirect to. Absent: `redirectUris`. */
  logoutUris?: readonly string[]
  /** Absent: every grant of the token endpoint. */
  grantTypes?: readonly string[]
  /** When it registered itself, in epoch seconds. */
  registeredAt?: number
  /** How it authenticates, where it registered itself. */
  authMethod?: string
  /** The SHA-256 of the token by which it reads and changes its registration (RFC 7592). */
  registrationHash?: string
  /**
   * Whether the client registered itself (RFC 7591). Its tokens for a user carry none of the user's
   * permissions.
   */
  selfRegistered?: true
}>

/** An OAuth client that acts alone, or for a user. */
export type Agent = Client &
  Readonly<{
    id: string
    secretHash: string
    mayDelegate: boolean
    /** The display name, if it differs from `name`. */
    displayName?: string
    budget?: Budget
    /** Whether this is the client of a resource server: it introspects, and opens no tasks. */
    resourceServer?: true
    /** The id of the agent that registered this agent. */
    parent?: string
  }>

/**
 * Budget of an agent. The issuer counts only issued tokens and answered calls; it displays the other
 * limits.
 */
export type Budget = Readonly<{
  tokensPerDay?: number
  callsPerHour?: number
  costPerMonth?: number
  models?: readonly string[]
  approvalAbove?: number
}>

/** A user. A user with `jit.approve` is an approver. */
export type User = Readonly<{
  id: string
  email: string
  name: string
  permissions: readonly string[]
  roles?: readonly string[]
  picture?: string
  updatedAt?: number
}>

/** An API key for the tenant's own back ends. It represents an agent when it names one. */
export type ApiKey = Readonly<{
  name: string
  hash: string
  agentId?: string
  /** The user who created the key: the subject of checks that name none. */
  userId?: string
  permissions: readonly string[]
}>

/**
 * An MCP server: an audience for which agents get tokens, by its id (CONTRACT.md#mcp-server-list).
 */
export type McpServer = Readonly<{
  /** `mcp_` and 24 hexadecimal digits, or the id in the seed. */
  id: string
  name: string
  description: string
  resourceUri: string
  scopes: readonly string[]
  /** Lifetime of its tokens, in seconds. */
  tokenLifetime: number
  /** Ids of the agents that may get its tokens. Absent: all. */
  agents?: readonly string[]
  createdAt: number
}>

/** A platform whose tokens identify workloads (CONTRACT.md#workload-tokens). */
export type WorkloadTrust = Readonly<{
  provider: string
  issuer: string
  subject: string
  agentId: string
  keys: readonly ClientKey[]
}>

/** A user's consent for a client. Revoking it revokes every token derived from it. */
export type Grant = Readonly<{
  id: string
  clientId: string
  userId: string
  scope: string
  /** SHA-256 of the authorization code, which works once. */
  codeHash: string
  codeExpiresAt: number
  redirectUri: string
  /** PKCE challenge, by S256 (RFC 7636 §4.2). */
  challenge?: string
  nonce?: string
  audience?: readonly string[]
  details?: readonly AuthorizationDetail[]
  /** The only agent that may act for the user. */
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

/** Parameters of a pushed authorization request (RFC 9126). */
export type PushedRequest = Readonly<{
  uri: string
  clientId: string
  parameters: Readonly<Record<string, string | readonly string[]>>
  expiresAt: number
  /** Whether the user has decided it. */
  used?: true
}>

/** One unit of an agent's work. Ending it revokes every token granted in it. */
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

/** An agent's request for one detail within a task. */
export type PermissionRequest = Readonly<{
  id: string
  taskId: string
  agentId: string
  detail: AuthorizationDetail
  justification?: string
  callbackUrl?: string
  risk: RiskLevel
  /** Lifetime of the token in seconds, unless the approver shortens it. */
  ttl: number
  /** Maximum lifetime an approver may grant, in seconds. */
  maxTtl: number
  approvalsRequired: number
  requestedAt: number
  /** When the request expires without a decision. */
  expiresAt: number
  explanation: Explanation
}>

/** A push approval: a question to the user the agent acts for, sent to the user's device. */
export type Approval = Readonly<{
  id: string
  agentId: string
  userId: string
  /** The agent's own name for the task. */
  task: string
  reason: string
  impact: RiskLevel
  meta?: Readonly<Record<string, unknown>>
  askedAt: number
  expiresAt: number
}>

/** A stream: a receiver of security events (SSF). */
export type Stream = Readonly<{
  id: string
  /** The client that owns the stream. */
  clientId: string
  /** The only agent whose events it receives. Absent: all. */
  agentId?: string
  issuer: string
  audience: readonly string[]
  /** The requested event types that are known. */
  events: readonly string[]
  /** URL for pushes. Absent: the receiver polls. */
  endpoint?: string
  /** Whether pushes carry an `Authorization`. Its value is stored outside the journal. */
  authorized?: true
  createdAt: number
}>

/** One security event, before it is signed. */
export type Signal = Readonly<{
  /** Position in the journal, with the id of the stream. */
  jti: string
  at: number
  event: 'session-revoked' | 'token-claims-change' | 'verification'
  about:
    | { taskId: string; caepSessionId: string; sub: string }
    | { tokenId: string; sub: string }
    | { streamId: string }
  by: 'admin' | 'user' | 'policy' | 'system'
  reason: string
  /** The `state` of a verification request, which the event repeats. */
  state?: string
}>

/** The stored record of an access token, without the token itself. */
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
  /** The details the user consented to. Absent in JIT tokens. */
  details?: readonly AuthorizationDetail[]
  /** The audience. Absent: this issuer and the API. */
  audience?: readonly string[]
  /** Of a token that is addressed to its own agent: where it may be exchanged for at most; absent: anywhere. */
  reach?: readonly string[]
  /** The actor of a delegated token. */
  act?: Actor
  /** The only agent that may act for the subject (RFC 8693 §4.4). */
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

/** Every event of a tenant. */
export type Event =
  /** The tenant was created or reset with these agents, users and clients. */
  | {
      type: 'tenant.seeded'
      agents: readonly Agent[]
      users: readonly User[]
      applications?: readonly Client[]
      apiKeys?: readonly ApiKey[]
      mcpServers?: readonly McpServer[]
      workloads?: readonly WorkloadTrust[]
    }
  /** The policy was replaced. */
  | { type: 'policy.replaced'; policy: Policy }
  /** Dialect switches were set. */
  | { type: 'dialect.set'; dialect: Dialect }
  /** The approver was scripted. */
  | { type: 'approver.scripted'; script: ApproverScript }
  /** A client registered itself, or changed its registration. */
  | { type: 'client.registered'; client: Client }
  /** A client deleted its registration. */
  | { type: 'client.deleted'; clientId: string }
  /** A key was published; it does not sign yet. */
  | { type: 'key.published'; kid: string; alg: string }
  /** A key signs from now on, and is published from now on if it was not before. */
  | { type: 'key.rotated'; kid: string; alg: string }
  /** A key is published no longer. */
  | { type: 'key.retired'; kid: string }
  /** A client assertion was used; its `jti` is not valid again. */
  | { type: 'assertion.used'; clientId: string; jti: string; expiresAt: number }
  /** An authorization request was pushed (PAR). */
  | { type: 'authorization.pushed'; pushed: PushedRequest }
  /** A pushed request was decided; its `request_uri` is not valid again. */
  | { type: 'authorization.used'; uri: string }
  /** A device asked for a code that a person enters. */
  | { type: 'device.asked'; device: Device }
  /** The person denied the device. */
  | { type: 'device.denied'; codeHash: string }
  /** A user consented, and a code was issued. */
  | { type: 'grant.given'; grant: Grant }
  /** The code was exchanged. */
  | { type: 'grant.redeemed'; grantId: string }
  /** A refresh token of the grant was issued. */
  | {
      type: 'grant.refreshable'
      grantId: string
      refreshHash: string
      expiresAt: number
      /** The refresh token that was used. */
      usedHash?: string
    }
  /** The grant was revoked with all its tokens. */
  | { type: 'grant.revoked'; grantId: string; reason: RevocationReason }
  /** The clock was moved forward by this number of seconds. */
  | { type: 'clock.moved'; by: number }
  /** A task was created. */
  | { type: 'task.opened'; task: Task }
  /** An agent requested a permission; `score` is what it adds to the task. */
  | { type: 'permission.requested'; request: PermissionRequest; score: number }
  /** One of several required approvers approved. */
  | {
      type: 'permission.endorsed'
      requestId: string
      taskId: string
      by: string
      /** The only actions this approver permits. Absent: all requested actions. */
      actions?: readonly string[]
    }
  /** The request was approved, by the policy or a person. */
  | {
      type: 'permission.approved'
      requestId: string
      taskId: string
      by: string
      ttl: number
      /** The granted detail, if it is narrower than requested. */
      detail?: AuthorizationDetail
      /** For people: the approver's own text. */
      notes?: string
      /** For the agent. */
      message?: string
    }
  /** The request was denied, by the policy or a person. */
  | {
      type: 'permission.denied'
      requestId: string
      taskId: string
      by: string
      /** For people. The agent also receives it when the policy denied. */
      reason?: string
      /** For the agent. */
      message?: string
      score: number
      /** The request whose denial includes this one; it is not counted again. */
      repeats?: string
    }
  /** An approver revokes an approval; its tokens are revoked with it. */
  | { type: 'permission.revoked'; requestId: string; taskId: string; by: string }
  /** A token was issued. */
  | { type: 'token.issued'; token: Token; taskId?: string; requestId?: string }
  /** A token was revoked. */
  | { type: 'token.revoked'; jti: string; reason: RevocationReason; taskId?: string }
  /** The rate limits were set. */
  | { type: 'limits.set'; limits: RateLimits }
  /** An agent was registered or changed through the API. */
  | { type: 'agent.registered'; agent: Agent; by: string }
  /** An agent asked whether an action is allowed. */
  | {
      type: 'agent.asked'
      agentId: string
      auditId: string
      action: string
      allowed: boolean
      reason: string
    }
  /** A push approval was sent. */
  | { type: 'approval.asked'; approval: Approval }
  /** A push approval was answered. */
  | { type: 'approval.answered'; approvalId: string; as: 'approved' | 'denied'; by: string }
  /** A callback was answered by its receiver. */
  | {
      type: 'callback.delivered'
      requestId: string
      taskId: string
      deliveryId: string
      attempt: number
      status: number
    }
  /** A callback was not delivered. */
  | {
      type: 'callback.failed'
      requestId: string
      taskId: string
      deliveryId: string
      attempt: number
      reason: string
      /** The delivery failed for good. */
      final: boolean
    }
  /** A signal stream was created. */
  | { type: 'stream.created'; stream: Stream }
  /** A signal stream was deleted. */
  | { type: 'stream.deleted'; streamId: string }
  /** A verification event was requested. */
  | { type: 'stream.verified'; streamId: string; state?: string }
  /** A signal was pushed. */
  | { type: 'signal.delivered'; streamId: string; jti: string; attempt: number }
  /** A signal was not delivered. */
  | {
      type: 'signal.failed'
      streamId: string
      jti: string
      attempt: number
      reason: string
      final: boolean
    }
  /** A receiver acknowledged polled signals. */
  | { type: 'signal.acknowledged'; streamId: string; jtis: readonly string[] }
  /** A task was evaluated, or its agent reported a result. */
  | { type: 'task.evaluated'; taskId: string; result?: string; notes?: string }
  /** A task was completed; its tokens are revoked. */
  | { type: 'task.completed'; taskId: string }
  /** A task was suspended, by the policy or an approver; its tokens are revoked. */
  | { type: 'task.suspended'; taskId: string; reason: string; by?: string }

export type EventOf<T extends Event['type']> = Extract<Event, { type: T }>

/** An event with its number in the journal. `at` is epoch seconds of the tenant's clock. */
export type Entry = Event & Readonly<{ seq: number; at: number }>
