import { generateSigningKey } from '../../signing/keys.ts'
import { created, type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { ControlContext } from './context.ts'

export const keyHandlers: Handlers<
  'control.key.rotate' | 'control.key.sign' | 'control.key.retire',
  ControlContext
> = {
  'control.key.rotate': async ({ context, body }) => {
    const { tenant, keys } = context()
    const key = await generateSigningKey(body.algorithm ?? keys.current.alg)
    const { kid, alg } = key
    keys.publish(key)
    if (body.sign) keys.signWith(kid)
    tenant.happen([{ type: body.sign ? 'key.rotated' : 'key.published', kid, alg }])
    return created(keysOf(context()))
  },
  'control.key.sign': ({ context, params }) => {
    const { tenant, keys } = context()
    const { kid, alg } = publishedKey(context(), params.kid)
    if (kid !== keys.current.kid) {
      keys.signWith(kid)
      tenant.happen([{ type: 'key.rotated', kid, alg }])
    }
    return ok(keysOf(context()))
  },
  'control.key.retire': ({ context, params }) => {
    const { tenant, keys } = context()
    const { kid } = publishedKey(context(), params.kid)
    if (kid === keys.current.kid) {
      answerWith(409, 'key_in_use', 'this key is the signing key: rotate first, then retire it')
    }
    keys.retire(kid)
    tenant.happen([{ type: 'key.retired', kid }])
    return ok(keysOf(context()))
  },
}

/** @throws {HttpError} 404 for an unpublished key */
const publishedKey = ({ keys }: TenantContext, kid = '') =>
  keys.find(kid) ?? answerWith(404, 'not_found', `unknown key: ${kid}`)

const keysOf = ({ keys }: TenantContext) => ({
  current: keys.current.kid,
  published: keys.jwks().keys.map(({ kid }) => kid),
})
