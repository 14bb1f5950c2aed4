import type { State } from '../../issuer/state.ts'
import { type SecretHashes, secretWord } from '../../signing/known-secrets.ts'
import { hashSecret } from '../../signing/secrets.ts'

type Holder = Readonly<{
  tenant: Readonly<{ state: State }>
  webhookSecret: string
  pushHeaders: ReadonlyMap<string, string>
  model: Readonly<{ key: string }>
}>

/**
 * Hashes of every secret of a tenant: of clients and agents, API keys, codes, refresh tokens, the
 * callback signature, the authorization of pushed signals, the model's key.
 */
export const secretHashesOf = ({
  tenant: { state },
  webhookSecret,
  pushHeaders,
  model,
}: Holder): SecretHashes => {
  const clients = [...state.agents.values(), ...state.clients.values()]
  const texts = [webhookSecret, model.key, ...pushHeaders.values()]
  const hashes = new Set([
    ...clients.flatMap(({ secretHash }) => secretHash ?? []),
    ...texts.flatMap((text) => text.match(secretWord) ?? []).map(hashSecret),
  ])
  const all = [hashes, state.apiKeys, state.codes, state.refreshTokens]
  return { has: (hash) => all.some((them) => them.has(hash)) }
}
