import { credentialsIn } from '../../http/claimed-client.ts'
import type { HttpRequest } from '../../http/message.ts'
import type { Act } from '../../http/misbehave.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'
import { hashSecret } from '../../signing/secrets.ts'
import { misleadRules, withRecord } from '../mislead-rules.ts'

/** Client authentication that accepts any secret. `as` selects the client. */
export function acceptSecrets(
  as: (of: { request: HttpRequest; tenant: TenantContext['tenant'] }) => HttpRequest,
): Act {
  return (seam) => {
    const request = as({ request: seam.routed.request, tenant: seam.context.tenant })
    const { id, secret } = credentialsIn(request)
    const mistake = { secretHash: hashSecret(secret) }
    const lenient = misleadRules(() => ({
      state: (state) => withRecord(state, 'clients', id, (client) => ({ ...client, ...mistake })),
    }))
    return lenient({
      ...seam,
      answer: (change = {}) => seam.answer({ ...change, request }),
    })
  }
}
