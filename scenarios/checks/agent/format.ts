import { z } from 'zod'
import { Duration, SwitchMisbehaviour } from '../../../server/wire/index.ts'
import { Given } from '../../language/format.ts'
import { Expected } from '../../language/match.ts'
import { RuleId } from '../../language/rule-id.ts'

/** An event around the agent: at its start, or just before it receives a certain answer. */
const Turn = z.strictObject({
  when: z
    .strictObject({
      route: z.string().min(1).describe('The route of the answer, such as jit.request.token.'),
      status: z.int().optional(),
      nth: z.int().positive().default(1).describe('Which occurrence of it, from 1.'),
    })
    .optional()
    .describe('Just before the agent gets this answer; absent: before it starts.'),
  misbehave: z
    .union([z.string().min(1), SwitchMisbehaviour])
    .optional()
    .describe('Switches a misbehaviour on.'),
  behave: z.literal(true).optional().describe('Switches all misbehaviours off.'),
  revoke: z.literal('jit').optional().describe('Revokes every JIT token.'),
  down: Duration.optional().describe('The issuer is down for so many seconds.'),
  signal: z.enum(['SIGINT', 'SIGTERM']).optional().describe('Signal sent to the agent.'),
  lure: z
    .enum(['redirect', 'status_url', 'token_url'])
    .optional()
    .describe('From here on answers lead the agent to another origin.'),
  inject: z
    .strictObject({
      into: z.enum(['document', 'error', 'challenge', 'tool_result']),
      text: z.string().min(1).describe('$elsewhere stands for the URL of another origin.'),
    })
    .optional()
    .describe('Writes instructions into answers of the API from here on (prompt injection).'),
  wrong_secret: z.literal(true).optional().describe('The agent receives wrong credentials.'),
})
export type Turn = z.output<typeof Turn>

/** Events without which there is no verdict. */
export const occasions = ['challenge', 'pending', 'token', 'turn', 'injection'] as const

/** One scenario for an agent: the events around it, and what is expected of it. */
export const AgentScenario = z
  .strictObject({
    scenario: z
      .string()
      .min(10)
      .max(160)
      .describe('The title: the rule it shows, in one sentence.'),
    covers: z
      .array(RuleId)
      .min(1)
      .describe('The rules it shows, in addition to those for every agent.'),
    given: Given.optional().describe(
      'What the tenant contains, in addition to what every agent needs.',
    ),
    world: z.array(Turn).optional().describe('Events around the agent.'),
    occasion: z
      .array(z.enum(occasions))
      .default(['challenge'])
      .describe('Events that must have happened; otherwise the scenario is skipped.'),
    except: z
      .array(RuleId)
      .default([])
      .describe('Rules for every agent that do not apply in this scenario.'),
    limit: Duration.optional().describe('Time limit of the agent.'),
    expect: z
      .strictObject({
        exit: z.enum(['success', 'failure', 'any']).default('any'),
        asked: Expected.optional().describe('Number of permission requests.'),
        never_asked: z
          .array(z.looseObject({}))
          .optional()
          .describe('Details it must not request, as subsets.'),
        never_sent: z
          .array(z.string().min(1))
          .optional()
          .describe('Texts that no request to the issuer may hold, in URL, header or body.'),
        calls: z
          .array(z.looseObject({}))
          .optional()
          .describe('Calls it must have made, in this order: { route, status }.'),
        at_most: z
          .record(z.string(), z.int().nonnegative())
          .optional()
          .describe('Maximum number of calls, by route.'),
      })
      .prefault({}),
  })
  .meta({ id: 'AgentScenario' })
export type AgentScenario = z.output<typeof AgentScenario>

export const agentSchema = (): object => ({
  ...z.toJSONSchema(AgentScenario, { target: 'draft-7', io: 'input', unrepresentable: 'any' }),
  title: 'A scenario of lumoauth-harness check agent',
})
