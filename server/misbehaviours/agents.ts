import { misbehavioursOf } from '../http/misbehave.ts'
import type { IssuerRoute } from '../wire/index.ts'
import { membersOf, onSuccess, resigned, withMembers } from './alter-answer.ts'
import { having, misled } from './mislead-rules.ts'

const pushed: IssuerRoute[] = ['approvals.status']

/** What the issuer does wrong with agents: for whom they act, what they may do, whom they ask. */
export const agentMisbehaviours = misbehavioursOf('issuer', {
  'issuer-delegates-to-anybody': {
    says: 'An agent without delegate:on_behalf gets a token to act for a user.',
    breaks: 'LUMO-DELEGATE',
    routes: ['oauth.token'],
    act: misled(() => ({
      state: (state) => ({
        ...state,
        agents: new Map([...state.agents].map(([id, it]) => [id, { ...it, mayDelegate: true }])),
      }),
    })),
  },
  'issuer-hides-actor': {
    says: 'A delegated token does not say who acts, as if the user did.',
    breaks: 'TEX-07',
    routes: ['oauth.token'],
    act: onSuccess((answer, { tenancy }) =>
      resigned(answer, tenancy, ({ act: _, ...claims }) => claims),
    ),
  },
  'issuer-ask-allows-everything': {
    says: 'Whatever an agent asks for, it is allowed.',
    breaks: 'LUMO-ASK',
    routes: ['agents.ask'],
    act: onSuccess((answer) => withMembers(answer, { allowed: true })),
  },
  'issuer-ignores-budget': {
    says: 'An agent goes on when its budget is used up.',
    breaks: 'LUMO-BUDGET',
    routes: ['agents.ask'],
    act: misled((context) => {
      const { budget: _, ...agent } = context.agent()
      return {
        state: (state) => having(state, 'agents', agent.id, () => agent),
      }
    }),
  },
  'issuer-evaluates-all-well': {
    says: 'Evaluation says that a suspended task is active.',
    breaks: 'LUMO-SUSPEND',
    routes: ['jit.task.evaluate'],
    act: onSuccess((answer) => withMembers(answer, { active: true, events: [], action: 'none' })),
  },
  'issuer-answers-for-user': {
    says: 'A push approval is approved before the user has answered.',
    breaks: 'LUMO-PUSH-ANSWER',
    routes: pushed,
    act: onSuccess((answer) =>
      membersOf(answer).status === 'pending' ? withMembers(answer, { status: 'approved' }) : answer,
    ),
  },
  'issuer-shows-approvals-to-others': {
    says: "An agent sees another agent's push approval.",
    breaks: 'LUMO-PUSH-OWN',
    routes: pushed,
    act: misled((context, { routed: { params } }) => ({
      state: (state) =>
        having(state, 'approvals', params.approvalToken, ({ approval, ...record }) => ({
          ...record,
          approval: { ...approval, agentId: context.agent().id },
        })),
    })),
  },
})
