import { misbehavioursOf } from '../../http/misbehave.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterSuccess, membersOf, resignToken, withMembers } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'

const pushedRoutes: IssuerRoute[] = ['approvals.status']

/** Misbehaviours of delegation, agents/ask and push approvals. */
export const agentMisbehaviours = misbehavioursOf('issuer', {
  'issuer-delegates-to-any-agent': {
    says: 'An agent without delegate:on_behalf gets a delegated token.',
    breaks: 'LUMO-DELEGATE',
    routes: ['oauth.token'],
    act: misleadRules(() => ({
      state: (state) => ({
        ...state,
        agents: new Map([...state.agents].map(([id, it]) => [id, { ...it, mayDelegate: true }])),
      }),
    })),
  },
  'issuer-forgets-parent': {
    says: 'An agent that another agent registered has its own budget, denials and policy.',
    breaks: 'LUMO-ROOT',
    routes: ['agents.register'],
    act: misleadRules(() => ({
      events: replaceEvents('agent.registered', ({ agent: { parent: _, ...agent }, ...event }) => [
        { ...event, agent },
      ]),
    })),
  },
  'issuer-hides-actor': {
    says: 'A delegated token has no act.',
    breaks: 'TEX-07',
    routes: ['oauth.token'],
    act: alterSuccess((answer, { context }) =>
      resignToken(answer, context, ({ act: _, ...claims }) => claims),
    ),
  },
  'issuer-ask-allows-everything': {
    says: 'agents/ask allows everything.',
    breaks: 'LUMO-ASK',
    routes: ['agents.ask'],
    act: alterSuccess((answer) => withMembers(answer, { allowed: true })),
  },
  'issuer-ignores-budget': {
    says: 'An agent over its budget gets answers.',
    breaks: 'LUMO-BUDGET',
    routes: ['agents.ask'],
    act: misleadRules((context) => {
      const { budget: _, ...agent } = context.agent()
      return {
        state: (state) => withRecord(state, 'agents', agent.id, () => agent),
      }
    }),
  },
  'issuer-evaluates-all-well': {
    says: 'Evaluation of a suspended task answers active.',
    breaks: 'LUMO-SUSPEND',
    routes: ['jit.task.evaluate'],
    act: alterSuccess((answer) =>
      withMembers(answer, { active: true, events: [], action: 'none' }),
    ),
  },
  'issuer-answers-for-user': {
    says: 'A push approval is approved before its user decides.',
    breaks: 'LUMO-PUSH-ANSWER',
    routes: pushedRoutes,
    act: alterSuccess((answer) =>
      membersOf(answer).status === 'pending' ? withMembers(answer, { status: 'approved' }) : answer,
    ),
  },
  'issuer-shows-approvals-to-others': {
    says: "An agent reads another agent's push approval.",
    breaks: 'LUMO-PUSH-OWN',
    routes: pushedRoutes,
    act: misleadRules((context, { routed: { params } }) => ({
      state: (state) =>
        withRecord(state, 'approvals', params.approvalToken, ({ approval, ...record }) => ({
          ...record,
          approval: { ...approval, agentId: context.agent().id },
        })),
    })),
  },
})
