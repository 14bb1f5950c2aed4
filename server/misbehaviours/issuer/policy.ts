import type { ControlContext } from '../../http/control/context.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import type { TenantContext } from '../../http/tenant/tenant-context.ts'
import { requestPermission } from '../../issuer/requests.ts'
import { openTask } from '../../issuer/tasks.ts'
import { type ControlRoute, Decided, Hypothetical } from '../../wire/index.ts'
import { parseJson } from '../../wire/json.ts'
import { alterSuccess } from '../alter-answer.ts'
import { type Mistake, withMistake, withRecord } from '../mislead-rules.ts'

const decisionRoutes: ControlRoute[] = ['control.policy.decide']

/** Misbehaviours of policy/decide. */
export const policyMisbehaviours = misbehavioursOf('issuer', {
  'issuer-makes-what-is-hypothetical': {
    says: 'policy/decide makes the request.',
    breaks: 'POLICY-HYPOTHETICAL',
    routes: decisionRoutes,
    act: misleadPolicy(({ tenant }, would) => {
      const agents = [...tenant.state.agents.values()]
      const agentId = agents.find(({ name }) => name === (would.agent ?? name))?.id ?? ''
      const taskId = would.task_id ?? tenant.run(openTask, { agentId })[0].task.id
      const detail = would.authorization_details
      tenant.run(requestPermission, { agentId, taskId, detail })
      return {}
    }),
  },
  'issuer-would-approve-everything': {
    says: 'policy/decide answers approved to everything.',
    breaks: 'POLICY-HYPOTHETICAL',
    routes: decisionRoutes,
    act: answerDecision((would) => ({
      ...would,
      status: 'approved',
      explanation: { ...would.explanation, decision: 'approve' },
    })),
  },
  'issuer-would-see-no-risk': {
    says: 'policy/decide answers risk_level low to everything.',
    breaks: 'POLICY-HYPOTHETICAL',
    routes: decisionRoutes,
    act: answerDecision((would) => ({
      ...would,
      explanation: { ...would.explanation, risk_level: 'low' },
    })),
  },
  'issuer-would-forget-the-past': {
    says: 'policy/decide ignores the earlier requests of the task.',
    breaks: 'POLICY-HYPOTHETICAL',
    routes: decisionRoutes,
    act: misleadPolicy((_tenancy, { task_id: taskId }) => ({
      state: (state) => ({
        ...withRecord(state, 'tasks', taskId, (record) => ({ ...record, score: 0, denials: 0 })),
        recent: new Map(),
      }),
    })),
  },
  'issuer-hides-what-would-pass': {
    says: 'A denial has no would_pass.',
    breaks: 'POLICY-EXPLAINS',
    routes: decisionRoutes,
    act: answerDecision((would) => {
      const { would_pass: _, ...explanation } = would.explanation
      return { ...would, explanation }
    }),
  },
})

/** Answers policy/decide with misled rules. */
function misleadPolicy(mistake: (context: TenantContext, would: Hypothetical) => Mistake): Act {
  return ({ answer, routed: { request } }) =>
    answer({
      context: async (honest) => {
        const handlerContext = (await honest()) as ControlContext
        const { data: would } = Hypothetical.safeParse(parseJson(request.body))
        if (would === undefined) return handlerContext
        const context = withMistake(
          handlerContext.context(),
          mistake(handlerContext.context(), would),
        )
        return { ...handlerContext, context: () => context }
      },
    })
}

function answerDecision(change: (would: Decided) => Decided): Act {
  return alterSuccess((answer) => ({ ...answer, body: change(Decided.parse(answer.body)) }))
}
