import { requestRules } from './judge-requests.ts'
import { tokenRules } from './judge-tokens.ts'
import type { AgentRules, Evidence, Offence } from './offence.ts'

/** Checks how an agent ends. */
const endingRules: AgentRules = {
  'AGENT-COMPLETES': ({ trace: { entries }, journal }) =>
    journal.flatMap((event) => {
      if (event.type !== 'task.opened') return []
      const { id } = event.task
      const isOver = journal.some(
        (it) => (it.type === 'task.completed' || it.type === 'task.suspended') && it.taskId === id,
      )
      const tried = entries.some(
        (it) => it.route === 'jit.task.complete' && it.path.includes(`/${id}/`),
      )
      return isOver || tried ? [] : [{ says: `did not complete its task ${id}` }]
    }),

  'AGENT-ENDS': ({ ending: { late }, limit }) =>
    late ? [{ says: `was still running after ${limit} s, and was killed` }] : [],
}

/** All offences of an agent, without those of rules that its scenario excludes. */
export const findOffences = (
  evidence: Evidence,
  except: readonly string[] = [],
): readonly Offence[] =>
  Object.entries({ ...requestRules, ...tokenRules, ...endingRules })
    .filter(([rule]) => !except.includes(rule))
    .flatMap(([rule, judge]) => judge(evidence).map((offence) => ({ ...offence, rule })))
