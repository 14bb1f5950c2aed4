/** Rules of `standards.md`: a family and a number, such as `REV-04`. */
type StandardRule =
  `${'RAR' | 'RES' | 'HDR' | 'TEX' | 'CC' | 'BRR' | 'AT' | 'JWT' | 'REV' | 'INT' | 'ASM' | 'HITL' | 'RSI' | 'RTY' | 'THR' | 'PRM'}-${number}`

/**
 * The id of a rule that a misbehaviour breaks, as `scenarios/rules.yaml` lists it.
 * `NET`: what HTTP promises a client. `LUMO`: the contract. `POLICY`: how the design decides. `API`: its resource server.
 */
export type BrokenRule = StandardRule | keyof typeof ourRules

/** Rules that no standard of the dossier numbers, and where each is written. */
export const ourRules = {
  'NET-TIMELY': 'contract §6.3: clients wait 30 s for an answer',
  'NET-COMPLETE': 'RFC 9112 §8: an answer that is cut off is no answer',
  'NET-ONCE': 'RFC 9110 §9.2.2: what is not idempotent is not sent twice',
  'NET-FRESH': 'RFC 9111 §5.2.2.5: no-store is not stored',
  'NET-FIELDS': 'RFC 9110 §5.1: a proxy forwards the fields it does not know',
  'NET-CORS':
    'OAuth 2.0 for Browser-Based Applications §8: pages of other origins call the endpoints',
  'NET-CORS-CHALLENGE': 'Fetch §4.10: a page reads only the header fields that are exposed',
  'NET-HEAD': 'RFC 9110 §9.3.2: HEAD has the header fields of GET',
  'LUMO-PREFIX': 'contract, rule 1: URLs in answers follow the prefix of the caller',
  'LUMO-JSON-OBJECT': 'contract, rule 2: success is 200 with a JSON object',
  'LUMO-STATUS-URL': 'contract, rule 3: a pending answer carries status_url',
  'LUMO-STATUS-ID': 'contract, rule 3: every status repeats request_id',
  'LUMO-DETAILS-OBJECT':
    'contract, rule 4: authorization_details is an object but in token answers',
  'LUMO-CHALLENGE-1': 'contract §4: the challenge header is there, on a 403',
  'LUMO-CHALLENGE-2': 'contract, rule 5: standard, padded base64 of one compact JSON object',
  'LUMO-CHALLENGE-3': 'contract §4: the challenge names what the call takes, no more and no less',
  'LUMO-NO-NULL': 'contract, rule 6: never null or [] where an SDK wants something else',
  'LUMO-PENDING-KEYS':
    'contract, rule 7: the pending list under requests, pending_requests and data',
  'LUMO-ERROR-BODY': 'contract, rule 9: error is a code, beside it what every SDK reads',
  'LUMO-ERROR-STATUS': 'contract §2.1.1, §2.2: each refusal has its status',
  'LUMO-CONTENT-TYPE': 'contract §2.2: requests and answers are JSON',
  'LUMO-SCOPE': 'contract §2.1.1: no scope that is not registered for the agent',
  'LUMO-CODE': 'contract §2.1: a code is used once, with its redirect_uri and verifier',
  'LUMO-PKCE': 'contract §2.1: a public client uses PKCE with S256',
  'LUMO-REDIRECT': 'contract §2.1: a person is sent back to a registered address only',
  'LUMO-STATE': 'RFC 6749 §4.1.2: the client is told its state again',
  'LUMO-CONSENT': 'contract §2.1: a client gets what the person allowed, and nothing after a no',
  'LUMO-REGISTER-UNION':
    'RFC 7591 §3.2.1: of the grants that are asked for, the supported ones are registered',
  'LUMO-REFRESH': 'contract §2.1: a refresh token is replaced with each use',
  'LUMO-REQUEST-ACTIVE': 'contract §2.2: only an active task requests permissions',
  'LUMO-REQUEST-OWN': 'contract §2.2: another agent sees and exchanges nothing of a request',
  'LUMO-TOKEN-APPROVED': 'contract §2.2: what is not approved is not exchanged',
  'LUMO-COMPLETE-OWN': 'contract §2.2: only its agent completes a task',
  'LUMO-COMPLETE-REVOKES': 'contract §5.5: completing a task revokes its tokens at once',
  'LUMO-DELEGATE': 'contract §2.1, §2.2: an agent acts for users only if it may',
  'LUMO-DELEGATED-AUDIENCE':
    'README of lumoauth 1.1.0: a delegated token is for its agent, or for its resource',
  'LUMO-ASK': 'contract §2.3: ask allows what the agent is capable of, and nothing else',
  'LUMO-BUDGET': 'contract §2.3, §5.6: an agent over its budget gets 429',
  'LUMO-PUSH-ANSWER': 'contract §2.3: a push approval is pending until the user has answered',
  'LUMO-PUSH-OWN': "contract §2.3: another agent's push approval is forbidden",
  'LUMO-APPROVE-CLIENT':
    'design §11: what a token may decide depends on its client, scope and kind',
  'LUMO-ROOT': 'design §11: what binds an agent binds those it registers',
  'LUMO-APPROVER': 'contract §2.2: only holders of jit.approve list and decide',
  'LUMO-FOUR-EYES': 'design §4: distinct people decide, never the one the agent acts for',
  'LUMO-DECISION': 'contract §2.2: what was decided is what is answered from then on',
  'LUMO-DENY-REASON': 'contract §2.2: a denial tells its reason',
  'LUMO-NOTES':
    'lumoauth-api-client 1.1.0: notes of the approver are for people, agent_message for the agent',
  'LUMO-KID': 'contract §3.1: kid is there, and found in the JWKS',
  'LUMO-JWKS': 'contract §1.4: the JWKS holds the public keys, and nothing private',
  'LUMO-RISK-LEVEL': 'contract §5.2: the risk level is the one the table says',
  'LUMO-RISK-HUMAN': 'contract §5.2: high and critical wait for a human',
  'LUMO-TTL-MAX': 'contract §5.4: no JIT token lives longer than 900 s',
  'LUMO-GRANTED-TTL': 'contract §2.2: granted_ttl is what the token gets',
  'LUMO-EXPIRES-IN': 'contract §3.2: expires_in is how long the token lives',
  'LUMO-SUSPEND': 'contract §5.5: over the limit a task is suspended',
  'LUMO-AUDIT': 'contract §5.2: decisions are on record, with who made them',
  'POLICY-EXPLAINS': 'design §4: a decision says why, and a refusal what would pass',
  'POLICY-HYPOTHETICAL': 'design §6: how a request would be decided is told without making it',
  'POLICY-SHARE': 'design §11: one caller never starves another',
  'JSON-DEPTH': 'design §11: what a stranger sends is bounded before it is used',
  'API-CLASSIFICATION': 'design §5: what a call takes depends on what is asked for',
  'API-COVERS': 'design §2: a grant covers what is required, by type, actions and identifier',
  'API-WRITES': 'design §5: writes are visible to later reads',
  'API-LIST': 'design §5: a list shows what the token may read',
} as const
