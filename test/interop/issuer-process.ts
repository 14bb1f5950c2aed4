/**
 * Our issuer in its own process, with every user and client that a check needs: `node
 * issuer-process.ts [DIALECT]`.
 */
import { createHarness } from '../../server/index.ts'
import { Dialect } from '../../server/wire/index.ts'

const dialect = Dialect.parse(JSON.parse(process.argv[2] ?? '{}'))
const harness = await createHarness({
  listen: true,
  tenants: [
    {
      tenant: 'acme',
      dialect,
      agents: [
        { name: 'report-agent', client_secret: 'secret-of-the-first' },
        { name: 'second-agent', client_secret: 'secret-of-the-second' },
        { name: 'loner', client_secret: 'secret-of-the-loner', may_delegate: false },
        { name: 'reader', client_secret: 'secret-of-the-reader', capabilities: ['read:documents'] },
      ],
      users: [
        { email: 'ada@corp.example', permissions: ['jit.approve'] },
        { email: 'bob@corp.example', permissions: ['jit.approve'] },
        { email: 'carol@corp.example' },
      ],
    },
    {
      tenant: 'elsewhere',
      dialect,
      agents: [{ name: 'stranger', client_secret: 'secret-of-the-stranger' }],
    },
  ],
})
const [acme] = harness.tenants
if (acme === undefined) throw new Error('no tenant')
const tokens = await Promise.all(
  ['ada', 'bob', 'carol'].map((name) => acme.approver.token({ by: `${name}@corp.example` })),
)
const [ada, bob, carol] = tokens
console.log(
  JSON.stringify({
    issuer: harness.issuer,
    control: harness.controlToken,
    env: {
      FIRST: 'secret-of-the-first',
      SECOND: 'secret-of-the-second',
      LONER: 'secret-of-the-loner',
      READER: 'secret-of-the-reader',
      STRANGER: 'secret-of-the-stranger',
      API: acme.api_client.client_secret,
      ADA: ada,
      BOB: bob,
      CAROL: carol,
    },
  }),
)
process.once('SIGTERM', () => process.exit(0))
