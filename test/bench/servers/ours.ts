/** `lumoauth-harness start`, in a process of its own, as anybody would run it. */
import { createHarness } from '../../../server/index.ts'

const harness = await createHarness({
  algorithm: (process.argv[2] ?? 'RS256') as 'RS256',
  tenants: [{ tenant: 'bench' }],
})
const [tenant] = harness.tenants
const agent = tenant?.agents[0]
console.log(
  JSON.stringify({
    token: `${tenant?.urls.tenant}/oauth/token`,
    form: `grant_type=client_credentials&client_id=${agent?.client_id}&client_secret=${agent?.client_secret}`,
    base: tenant?.urls.tenant,
    api: tenant?.urls.api,
  }),
)
