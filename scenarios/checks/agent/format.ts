import { z } from 'zod'
import { Duration, SwitchMisbehaviour } from '../../../server/wire/index.ts'
import { Given } from '../../language/format.ts'
import { Expected } from '../../language/match.ts'
import { RuleId } from '../../language/rule-id.ts'

/** Something that happens around the agent: at its start, or when a certain answer is on its way. */
const Turn = z.strictObject({
  when: z
    .strictObject({
      route: z.string().min(1).describe('The route of the answer, such as jit.request.token.'),
      status: z.int().optional(),
      nth: z.int().positive().default(1).describe('Which of them.'),
    })
    .optional()
    .describe('Just before the agent gets this answer; absent: before it starts.'),
  misbehave: z
    .union([z.string().min(1), SwitchMisbehaviour])
    .optional()
    .describe('Switches a misbehaviour on.'),
  behave: z.literal(true).optional().describe('Switches all misbehaviours off.'),
  revoke: z.literal('jit').optional().describe('Revokes every JIT token there is.'),
  down: Duration.optional().describe('The issuer is gone for so long.'),
  signal: z.enum(['SIGINT', 'SIGTERM']).optional().describe('Sent to the agent.'),
  lure: z
    .enum(['redirect', 'status_url', 'token_url'])
    .optional()
    .describe('Leads the agent to another origin from here on.'),
  inject: z
    .strictObject({
      into: z.enum(['document', 'error', 'challenge', 'tool_result']),
      text: z.string().min(1).describe('$elsewhere stands for the URL of another origin.'),
    })
    .optional()
    .describe('Writes instructions into answers of the API from here on (prompt injection).'),
  wrong_secret: z
    .literal(true)
    .optional()
    .describe('The agent gets credentials that are not good.'),
})
export type Turn = z.output<typeof Turn>

/** What must have come about, or there is no verdict. */
export const occasions = ['challenge', 'pending', 'token', 'turn', 'injection'] as const

/** One scenario for an agent: a world, and what is expected of whoever acts in it. */
export const AgentScenario = z
  .strictObject({
    scenario: z.string().min(10).max(160).describe('The claim, in one sentence.'),
    covers: z.array(RuleId).min(1).describe('The rules it is about, beside those for every agent.'),
    given: Given.optional().describe('What the tenant holds, over what the agent always needs.'),
    world: z.array(Turn).optional().describe('What happens around the agent.'),
    occasion: z
      .array(z.enum(occasions))
      .default(['challenge'])
      .describe('What must have come about; else the scenario is skipped.'),
    except: z
      .array(RuleId)
      .default([])
      .describe('Rules for every agent that do not apply in this world.'),
    limit: Duration.optional().describe('How long the agent may take.'),
    expect: z
      .strictObject({
        exit: z.enum(['success', 'failure', 'any']).default('any'),
        asked: Expected.optional().describe('How many permissions it requested.'),
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
          .describe('Calls it made, in this order: { route, status }.'),
        at_most: z
          .record(z.string(), z.int().nonnegative())
          .optional()
          .describe('How often it may call a route.'),
      })
      .prefault({}),
  })
  .meta({ id: 'AgentScenario' })
export type AgentScenario = z.output<typeof AgentScenario>

export const agentSchema = (): object => ({
  ...z.toJSONSchema(AgentScenario, { target: 'draft-7', io: 'input', unrepresentable: 'any' }),
  title: 'A scenario of lumoauth-harness check agent',
})
