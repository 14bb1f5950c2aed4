import { misbehavioursOf } from '../../http/misbehave.ts'
import type { IssuerRoute } from '../../wire/index.ts'
import { alterSuccess } from '../alter-answer.ts'
import { misleadRules, replaceEvents, withRecord } from '../mislead-rules.ts'

const complete: IssuerRoute[] = ['jit.task.complete']

/** Misbehaviours of tasks. */
export const taskMisbehaviours = misbehavioursOf('issuer', {
  'issuer-never-suspends': {
    says: 'A task is never suspended for risk score or denials.',
    breaks: 'LUMO-SUSPEND',
    routes: ['jit.request', 'jit.deny'],
    act: misleadRules(() => ({
      events: (events) =>
        events.filter(({ type }) => type !== 'task.suspended' && type !== 'token.revoked'),
    })),
  },
  'issuer-acts-for-any-user': {
    says: 'An agent without delegate:on_behalf creates a task on_behalf_of a user.',
    breaks: 'THR-28',
    routes: ['jit.task.create'],
    act: misleadRules((context) => ({
      state: (state) =>
        withRecord(state, 'agents', context.agent().id, (agent) => ({
          ...agent,
          mayDelegate: true,
        })),
    })),
  },
  'issuer-completes-without-revoking': {
    says: 'Completing a task does not revoke its tokens.',
    breaks: 'LUMO-COMPLETE-REVOKES',
    routes: complete,
    act: misleadRules(() => ({ events: replaceEvents('token.revoked', () => []) })),
  },
  'issuer-forgets-children': {
    says: 'Completing a task does not complete its child tasks.',
    breaks: 'LUMO-COMPLETE-REVOKES',
    routes: complete,
    act: misleadRules((_context, { routed: { params } }) => ({
      state: (state) =>
        withRecord(state, 'tasks', params.taskId, (record) => ({ ...record, children: [] })),
    })),
  },
  'issuer-completes-for-others': {
    says: "An agent completes another agent's task.",
    breaks: 'LUMO-COMPLETE-OWN',
    routes: complete,
    act: misleadRules((context, { routed: { params } }) => ({
      state: (state) =>
        withRecord(state, 'tasks', params.taskId, (record) => ({
          ...record,
          task: { ...record.task, agentId: context.agent().id },
        })),
    })),
  },
  'issuer-completes-empty': {
    says: 'Completing a task answers 200 without a body.',
    breaks: 'LUMO-JSON-OBJECT',
    routes: complete,
    act: alterSuccess(({ body: _, ...answer }) => ({ ...answer, status: 200 })),
  },
})
