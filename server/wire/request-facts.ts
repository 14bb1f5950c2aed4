import { z } from 'zod'
import { AuthorizationDetail } from './authorization-detail.ts'
import { Duration } from './duration.ts'

/** A Tuesday, at noon in UTC. */
const usualTime = '2026-11-24T12:00:00Z'

/** Everything that a policy may know of a permission request, as people write it to try a policy. */
export const RequestFacts = z
  .strictObject({
    authorization_details: AuthorizationDetail.describe('What the agent asks for.'),
    agent: z.string().min(1).max(64).default('report-bot').describe('The name of the agent.'),
    ancestors: z
      .array(z.string().min(1).max(64))
      .max(16)
      .optional()
      .describe('The names of the agents that registered it, its own parent first.'),
    task_type: z.string().min(1).max(64).optional().describe('The type of the task.'),
    on_behalf_of: z
      .email()
      .optional()
      .describe('The e-mail address of the user that the agent acts for.'),
    justification: z.string().max(4096).optional(),
    requested_ttl: Duration.pipe(z.int().min(1)).optional().describe('The requested lifetime.'),
    score: z.number().nonnegative().default(0).describe('The risk score of the task so far.'),
    denials: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Denied requests of the task and those above it.'),
    agent_denials: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Denied requests of the agent within 600 s, in all its tasks.'),
    requests_last_minute: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Requests of the agent within 60 s.'),
    at: z.iso
      .datetime({ offset: true })
      .default(usualTime)
      .describe(`When the agent asks; default ${usualTime}, a Tuesday.`),
  })
  .meta({ id: 'RequestFacts' })
export type RequestFacts = z.infer<typeof RequestFacts>
