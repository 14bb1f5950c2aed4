import type { IssuerContext } from '../../http/issuer/context.ts'
import { misbehavioursOf } from '../../http/misbehave.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterError, alterSuccess, membersOf, withMembers } from '../alter-answer.ts'
import { misleadRules } from '../mislead-rules.ts'

const evaluation: IssuerRoute[] = ['authz.evaluation', 'authz.evaluations']

/** Misbehaviours of attestation, token vault and AuthZEN. */
export const agentServiceMisbehaviours = misbehavioursOf('issuer', {
  'issuer-attests-for-any-agent': {
    says: 'The attestation of one workload gets the token of any agent.',
    breaks: 'LUMO-ATTEST',
    routes: ['agents.attest'],
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) => {
        const named = [...state.agents.values()].find((it) => it.name === params.agentId)
        return named === undefined
          ? state
          : { ...state, workloads: state.workloads.map((it) => ({ ...it, agentId: named.id })) }
      },
    })),
  },
  'issuer-attest-tells-agents-apart': {
    says: 'The refusal of an attestation says whether the agent exists.',
    breaks: 'LUMO-ATTEST',
    routes: ['agents.attest'],
    act: alterError((answer, { routed: { params }, context: { tenant } }) =>
      [...tenant.state.agents.values()].some((it) => it.name === params.agentId)
        ? answer
        : withMembers(answer, { error_description: 'there is no such agent' }),
    ),
  },
  'issuer-vault-forgets-delegation': {
    says: 'The token vault gives the tokens of a user to an agent that may not act for users.',
    breaks: 'LUMO-TOKEN-VAULT',
    routes: ['connections.token'],
    act: ({ answer }) =>
      answer({
        context: async (honest) => {
          const context = (await honest()) as IssuerContext
          return { ...context, agent: () => ({ ...context.agent(), mayDelegate: true }) }
        },
      }),
  },
  'issuer-vault-omits-scopes': {
    says: 'The token vault does not say which scopes a token has.',
    breaks: 'LUMO-TOKEN-VAULT',
    routes: ['connections.token'],
    act: alterSuccess((answer) => withMembers(answer, { scopes: undefined })),
  },
  'issuer-evaluation-allows-everything': {
    says: 'AuthZEN evaluation always answers decision true.',
    breaks: 'LUMO-AUTHZEN',
    routes: evaluation,
    act: alterSuccess((answer) => {
      const { evaluations } = membersOf(answer)
      return Array.isArray(evaluations)
        ? withMembers(answer, { evaluations: evaluations.map(() => ({ decision: true })) })
        : withMembers(answer, { decision: true, context: undefined })
    }),
  },
  'issuer-evaluates-the-first-only': {
    says: 'AuthZEN evaluations answers only the first of several.',
    breaks: 'LUMO-AUTHZEN',
    routes: ['authz.evaluations'],
    act: alterSuccess((answer) => {
      const { evaluations } = membersOf(answer)
      return Array.isArray(evaluations)
        ? withMembers(answer, { evaluations: evaluations.slice(0, 1) })
        : answer
    }),
  },
})
