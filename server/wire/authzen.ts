import { z } from 'zod'

const Subject = z
  .object({
    type: z.enum(['user', 'agent'], { error: 'expected user or agent' }),
    id: z.string().min(1).max(256),
  })
  .optional()
const Action = z.object({ name: z.string().min(1).max(256) }).optional()
const Resource = z
  .object({ type: z.string().min(1).max(256), id: z.string().max(256).optional() })
  .optional()

const members = {
  subject: Subject,
  action: Action,
  resource: Resource,
  context: z.record(z.string(), z.unknown()).optional(),
}

/** `POST …/authz/v1/evaluation` (OpenID AuthZEN Authorization API 1.0 §6). */
export const Evaluate = z
  .object(members)
  .refine((it) => it.action !== undefined, { error: 'expected an action', path: ['action'] })
  .meta({ id: 'Evaluate', required: ['action'] })
export type Evaluate = z.infer<typeof Evaluate>

/** `POST …/authz/v1/evaluations`: what an entry leaves out stands beside the list (§7). */
export const EvaluateAll = z
  .object({ ...members, evaluations: z.array(z.object(members)).min(1).max(256) })
  .meta({ id: 'EvaluateAll', required: ['evaluations'] })
export type EvaluateAll = z.infer<typeof EvaluateAll>

/** The answer to one evaluation (§6.2). */
export const Decision = z
  .looseObject({ decision: z.boolean(), context: z.looseObject({}).optional() })
  .meta({ id: 'Decision' })
export type Decision = z.infer<typeof Decision>

/** The answers to several, in their order (§7.2). */
export const Decisions = z.looseObject({ evaluations: z.array(Decision) }).meta({ id: 'Decisions' })
export type Decisions = z.infer<typeof Decisions>
