import { z } from 'zod'
import { type Action, action, currentId, Id, orVariable, outcomeOf } from '../action.ts'
import type { Outcome, StepContext } from '../step-context.ts'

/** Actions of approvers. */
export const peopleActions = {
  list_pending: action({
    says: 'An approver lists the pending requests.',
    example: 'list_pending: {}',
    args: z.strictObject({}),
    looks: 'fields',
    needs: () => ['approver'],
    run: async (_, { send }) =>
      outcomeOf(await send('issuer', { method: 'GET', path: '/jit/pending', by: 'approver' })),
  }),

  approve: action({
    says: 'An approver approves the request; `as: someone@example.com` selects the user.',
    example: 'approve: { ttl: 120, notes: Fine }',
    args: z.strictObject({
      request_id: Id.optional(),
      ttl: orVariable(z.number()).optional(),
      notes: z.string().optional(),
      agent_message: z.string().optional(),
    }),
    looks: 'fields',
    needs: () => ['approver'],
    run: (args, context) => decide('approve', args, context),
  }),

  deny: action({
    says: 'An approver denies the request.',
    example: 'deny: { reason: Not during the audit, agent_message: Try tomorrow }',
    args: z.strictObject({
      request_id: Id.optional(),
      reason: z.string().optional(),
      agent_message: z.string().optional(),
    }),
    looks: 'fields',
    needs: () => ['approver'],
    run: (args, context) => decide('deny', args, context),
  }),
} satisfies Record<string, Action>

const decide = async (
  what: 'approve' | 'deny',
  { request_id, ...json }: { request_id?: string | undefined; [key: string]: unknown },
  { send, me }: StepContext,
): Promise<Outcome> => {
  const id = encodeURIComponent(request_id ?? currentId(me.request, 'request_id'))
  return outcomeOf(
    await send('issuer', { method: 'POST', path: `/jit/${what}/${id}`, json, by: 'approver' }),
  )
}
