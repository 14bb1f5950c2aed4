import type { Misbehaviour } from '../../server/http/misbehave.ts'
import type { TenantContext } from '../../server/http/tenant-context.ts'

/** A misbehaviour that changes nothing: it shows a test what the harness remembers of a tenant. */
export const onlooker = (see: (context: TenantContext) => void): Misbehaviour => ({
  name: 'onlooker',
  seat: 'issuer',
  says: 'Nothing goes wrong; somebody looks on.',
  breaks: 'NET-FRESH',
  act: ({ context, answer }) => {
    see(context)
    return answer()
  },
})
