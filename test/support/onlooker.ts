import type { Misbehaviour } from '../../server/http/misbehave.ts'
import type { TenantContext } from '../../server/http/tenant/tenant-context.ts'

/** A misbehaviour that changes nothing: it gives a test the state of a tenant. */
export const onlooker = (see: (context: TenantContext) => void): Misbehaviour => ({
  name: 'onlooker',
  seat: 'issuer',
  says: 'Nothing goes wrong; a test observes.',
  breaks: 'NET-FRESH',
  act: ({ context, answer }) => {
    see(context)
    return answer()
  },
})
