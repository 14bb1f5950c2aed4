/** Rules of `standards.md`: a family and a number, such as `REV-04`. */
type StandardRule =
  `${'RAR' | 'RES' | 'HDR' | 'TEX' | 'CC' | 'BRR' | 'AT' | 'JWT' | 'REV' | 'INT' | 'ASM' | 'HITL' | 'RSI' | 'RTY' | 'THR' | 'PRM'}-${number}`

/**
 * The id of a rule that a misbehaviour violates, as listed in `scenarios/rules.yaml`. Families: `NET`:
 * what HTTP guarantees to a client; `LUMO`: the contract; `POLICY`: decisions (design); `API`: the
 * resource server (design).
 */
export type BrokenRule = StandardRule | keyof typeof ourRules

/** The source of each rule without a number in `standards.md`. */
export const ourRules = {
  'NET-TIMELY': 'contract §6.3: clients wait 30 s for an answer',
  'NET-COMPLETE': 'RFC 9112 §8: a truncated answer is incomplete',
  'NET-ONCE': 'RFC 9110 §9.2.2: a request that is not idempotent is not repeated',
  'NET-FRESH': 'RFC 9111 §5.2.2.5: an answer with no-store is not stored',
  'NET-FIELDS': 'RFC 9110 §5.1: a proxy forwards unknown fields',
  'NET-CORS':
    'OAuth 2.0 for Browser-Based Applications §8: pages of other origins call the endpoints',
  'NET-CORS-CHALLENGE': 'Fetch §4.10: a page reads only the header fields that are exposed',
  'NET-HEAD': 'RFC 9110 §9.3.2: HEAD has the header fields of GET',
  'LUMO-PREFIX': 'contract, rule 1: URLs in answers have the prefix of the request',
  'LUMO-JSON-OBJECT': 'contract, rule 2: success is 200 with a JSON object',
  'LUMO-STATUS-URL': 'contract, rule 3: a pending answer carries status_url',
  'LUMO-STATUS-ID': 'contract, rule 3: every status repeats request_id',
  'LUMO-DETAILS-OBJECT':
    'contract, rule 4: authorization_details is an object, except in token answers',
  'LUMO-CHALLENGE-1': 'contract §4: a 403 has the challenge header',
  'LUMO-CHALLENGE-2': 'contract, rule 5: standard, padded base64 of one compact JSON object',
  'LUMO-CHALLENGE-3': 'contract §4: the challenge names exactly the detail the call requires',
  'LUMO-NO-NULL': 'contract, rule 6: never null or [] where an SDK expects another type',
  'LUMO-PENDING-KEYS':
    'contract, rule 7: the pending list under requests, pending_requests and data',
  'LUMO-ERROR-BODY': 'contract, rule 9: error is a code, with the members every SDK reads',
  'LUMO-ERROR-STATUS': 'contract §2.1.1, §2.2: each error has its status',
  'LUMO-CONTENT-TYPE': 'contract §2.2: requests and answers are JSON',
  'LUMO-SCOPE': 'contract §2.1.1: a token has only scopes registered for the agent',
  'LUMO-CODE': 'contract §2.1: a code works once, with its redirect_uri and code_verifier',
  'LUMO-PKCE': 'contract §2.1: a public client uses PKCE with S256',
  'LUMO-REDIRECT': 'contract §2.1: a user is redirected only to a registered redirect_uri',
  'LUMO-STATE': 'RFC 6749 §4.1.2: the answer repeats the client’s state',
  'LUMO-CONSENT': 'contract §2.1: a client gets what the user allowed, and nothing after a denial',
  'LUMO-REGISTER-UNION':
    'RFC 7591 §3.2.1: the supported ones of the requested grants are registered',
  'LUMO-AUTHORIZE-REFUSALS':
    'RFC 6749 §4.1.2.1: the client receives the errors of its request, where it is known',
  'LUMO-PAR-ONCE': 'RFC 9126 §4: a request_uri is used once',
  'LUMO-LOGOUT':
    'RP-Initiated Logout §2, §3: by GET and POST, to a registered post_logout_redirect_uri only',
  'LUMO-USERINFO-SCOPE': 'OpenID Connect Core §5.4: claims of a user come with their scopes',
  'LUMO-DEVICE': 'RFC 8628 §3.5: a device polls until its person has decided, and gets tokens once',
  'LUMO-CIBA': 'CIBA Core §11: a client polls until the person has decided',
  'LUMO-REGISTRATION-TOKEN': 'RFC 7592 §2: a registration is managed with its own token only',
  'LUMO-ATTEST': 'lumoauth-api-client 1.1.0: a workload gets the token of its own agent',
  'LUMO-TOKEN-VAULT':
    'lumoauth-api-client 1.1.0: an agent gets tokens of the connections it may use',
  'LUMO-AUTHZEN': 'AuthZEN Authorization API 1.0 §6, §7: each evaluation has its decision',
  'LUMO-REFRESH': 'contract §2.1: a refresh token is replaced with each use',
  'LUMO-REQUEST-ACTIVE': 'contract §2.2: only an active task requests permissions',
  'LUMO-REQUEST-OWN': 'contract §2.2: another agent can neither read nor exchange a request',
  'LUMO-TOKEN-APPROVED': 'contract §2.2: only an approved request is exchanged',
  'LUMO-COMPLETE-OWN': 'contract §2.2: only the task’s agent completes it',
  'LUMO-COMPLETE-REVOKES': 'contract §5.5: completing a task revokes its tokens immediately',
  'LUMO-DELEGATE': 'contract §2.1, §2.2: an agent acts for users only with delegate:on_behalf',
  'LUMO-DELEGATED-AUDIENCE':
    'README of lumoauth 1.1.0: a delegated token is for its agent, or for its resource',
  'LUMO-ASK': 'contract §2.3: ask allows exactly the agent’s capabilities',
  'LUMO-BUDGET': 'contract §2.3, §5.6: an agent over its budget gets 429',
  'LUMO-PUSH-ANSWER': 'contract §2.3: a push approval is pending until the user has answered',
  'LUMO-PUSH-OWN': "contract §2.3: another agent's push approval is forbidden",
  'LUMO-APPROVE-CLIENT':
    'design §11: the client, scope and kind of a token determine whether it may decide',
  'LUMO-ROOT': 'design §11: limits of an agent also bind the agents it registers',
  'LUMO-APPROVER': 'contract §2.2: only holders of jit.approve list and decide',
  'LUMO-FOUR-EYES': 'design §4: different people decide, never the user the agent acts for',
  'LUMO-DECISION': 'contract §2.2: later answers repeat the decision',
  'LUMO-DENY-REASON': 'contract §2.2: a denial includes its reason',
  'LUMO-NOTES':
    'lumoauth-api-client 1.1.0: notes of the approver are for people, agent_message for the agent',
  'LUMO-KID': 'contract §3.1: every token has a kid, and the JWKS contains it',
  'LUMO-JWKS': 'contract §1.4: the JWKS contains public keys only',
  'LUMO-RISK-LEVEL': 'contract §5.2: the risk level is that of the table',
  'LUMO-RISK-HUMAN': 'contract §5.2: a person decides high and critical requests',
  'LUMO-TTL-MAX': 'contract §5.4: a JIT token lives at most 900 s',
  'LUMO-GRANTED-TTL': 'contract §2.2: granted_ttl is the lifetime of the token',
  'LUMO-EXPIRES-IN': 'contract §3.2: expires_in is the lifetime of the token',
  'LUMO-SUSPEND': 'contract §5.5: a task over the limit is suspended',
  'LUMO-AUDIT': 'contract §5.2: decisions are recorded, with the person who decided',
  'POLICY-EXPLAINS':
    'design §4: a decision has an explanation; a denial names a request that would pass',
  'POLICY-HYPOTHETICAL': 'design §6: a hypothetical request is decided without creating it',
  'POLICY-TIME': 'design §4: a rule may apply at certain hours of a zone only',
  'POLICY-SHARE': 'design §11: one caller cannot exhaust the limits of another',
  'JSON-DEPTH': 'design §11: untrusted input is bounded before it is used',
  'API-CLASSIFICATION': 'design §5: the required permission depends on the document',
  'API-COVERS': 'design §2: a grant covers a requirement by type, actions and identifier',
  'API-WRITES': 'design §5: later reads return what was written',
  'API-LIST': 'design §5: a list contains the documents the token may read',
} as const
