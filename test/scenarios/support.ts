import { type Loaded, readScenario } from '../../scenarios/language/load.ts'
import type { Session } from '../../scenarios/language/session.ts'
import type { Target } from '../../scenarios/language/target.ts'

/** A scenario from valid YAML. */
export const scenarioOf = (yaml: string, file = 'suite/theme/one.yaml'): Loaded => {
  const { scenario, problems } = readScenario(file, yaml)
  if (scenario === undefined) throw new Error(problems.map((it) => it.message).join('\n'))
  return scenario
}

/** `file:line:column: message` of every problem. */
export const problemsOf = (yaml: string): string[] =>
  readScenario('a.yaml', yaml).problems.map(
    ({ at, message, severity }) =>
      `${at.file}:${at.line}:${at.column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`,
  )

type Fake = Target & { readonly opened: string[]; readonly closed: string[] }

/** A target whose answers come from one function. */
export const fakeTarget = (
  answer: (request: Request) => Response | Promise<Response>,
  {
    capabilities = ['control', 'virtual_time', 'approver', 'writes'],
    session = {},
  }: {
    capabilities?: readonly string[]
    session?: Partial<Session>
  } = {},
): Fake => {
  const opened: string[] = []
  const closed: string[] = []
  const send: typeof fetch = async (input, init) => answer(new Request(input, init))
  return {
    name: 'fake',
    capabilities: new Set(capabilities) as Target['capabilities'],
    longestWait: 0,
    opened,
    closed,
    open: async (_, { tenant }) => {
      opened.push(tenant)
      return {
        tenant,
        urls: {
          issuer: 'https://issuer.test',
          tenant: `https://issuer.test/t/${tenant}/api/v1`,
          org: `https://issuer.test/orgs/${tenant}/api/v1`,
          api: `https://api.test/t/${tenant}`,
          apiOrigin: 'https://api.test',
          control: `https://issuer.test/_harness/tenants/${tenant}`,
        },
        agents: [
          {
            name: 'report-bot',
            agent_id: 'agt_1',
            client_id: 'report-bot',
            client_secret: 'a+secret/of the agent',
          },
        ],
        users: [],
        controlToken: 'the-control-token',
        fetch: () => send,
        ...session,
        close: async () => {
          closed.push(tenant)
        },
      }
    },
    close: async () => {},
  }
}

export const refusal = (status: number, error: string): Response =>
  Response.json({ error, error_description: 'no', message: 'no', code: error, status }, { status })

/** Claims as an unsigned token. */
export const tokenOf = (claims: Readonly<Record<string, unknown>>): string =>
  [{ alg: 'none', typ: 'at+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('c2lnbmF0dXJl')
    .join('.')
