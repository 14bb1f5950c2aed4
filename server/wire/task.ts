import { z } from 'zod'

/** One scope (RFC 6749 §3.3). */
export const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, {
  error: 'expected a scope: printable, without spaces and quotes',
})

/** Status of a task. Only an active task can request permissions. */
export const TaskStatus = z.enum(['active', 'completed', 'suspended', 'expired'])
export type TaskStatus = z.infer<typeof TaskStatus>

/**
 * Body of `POST B/jit/task` in both forms. It may be empty (CONTRACT.md#tasks). A body with
 * `task_description` and `required_scopes` is the older form (CONTRACT.md#older-jit-form).
 */
export const CreateTask = z
  .object({
    name: z.string().max(256).optional(),
    type: z.string().max(64).optional(),
    parent_task_id: z.string().max(128).optional(),
    on_behalf_of: z.string().max(256).optional(),
    task_description: z.string().min(1).max(1024).optional(),
    required_scopes: z.array(Scope).min(1).max(32).optional(),
    duration: z.int().min(1).max(86_400).optional(),
    resources: z.array(z.string().min(1).max(1024)).max(16).optional(),
  })
  .superRefine((it, { addIssue }) => {
    const isOlder = it.task_description !== undefined || it.required_scopes !== undefined
    for (const field of ['task_description', 'required_scopes'] as const) {
      if (!isOlder || it[field] !== undefined) continue
      addIssue({ code: 'custom', path: [field], message: `expected ${field} beside the other` })
    }
  })
  .meta({
    id: 'CreateTask',
    dependentRequired: {
      task_description: ['required_scopes'],
      required_scopes: ['task_description'],
    },
  })
export type CreateTask = z.infer<typeof CreateTask>

/** Answer of `POST B/jit/task`. */
export const TaskCreated = z
  .looseObject({
    task_id: z.string().min(1),
    caep_session_id: z.string().min(1),
    expires_at: z.iso.datetime(),
    agent_id: z.string().min(1),
    agent: z.looseObject({ id: z.string(), name: z.string() }),
    on_behalf_of: z.string().nullable(),
  })
  .meta({ id: 'TaskCreated' })
export type TaskCreated = z.infer<typeof TaskCreated>

/** Answer of `POST B/jit/task` in the older form. */
export const OlderTaskCreated = z
  .looseObject({
    task_id: z.string().min(1),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    approval_url: z.string(),
    expires_in: z.int(),
  })
  .meta({ id: 'OlderTaskCreated' })
export type OlderTaskCreated = z.infer<typeof OlderTaskCreated>

/** Answer of `GET B/jit/{id}/status` for a task of the older form. */
export const OlderTaskStatus = z
  .looseObject({
    task_id: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    approved_scopes: z.array(z.string()),
    approved_by: z.string().optional(),
    approved_at: z.iso.datetime().optional(),
  })
  .meta({ id: 'OlderTaskStatus' })
export type OlderTaskStatus = z.infer<typeof OlderTaskStatus>

/** Answer of `POST B/jit/task/{id}/complete`. */
export const TaskCompleted = z
  .looseObject({
    task_id: z.string(),
    status: z.literal('completed'),
    completed_at: z.iso.datetime(),
  })
  .meta({ id: 'TaskCompleted' })
export type TaskCompleted = z.infer<typeof TaskCompleted>

/**
 * Body of `POST B/jit/task/{id}/evaluate`: none in the spec; SDKs send the result of the task (contract
 * §7 row 8).
 */
export const EvaluateTask = z
  .object({
    result: z.enum(['completed', 'failed', 'cancelled']).optional(),
    notes: z.string().max(4096).optional(),
  })
  .meta({ id: 'EvaluateTask' })
export type EvaluateTask = z.infer<typeof EvaluateTask>

/** Answer of `POST B/jit/task/{id}/evaluate`. */
export const TaskEvaluated = z
  .looseObject({
    task_id: z.string(),
    active: z.boolean(),
    events: z.array(
      z.looseObject({
        type: z.string(),
        details: z.looseObject({ risk_score: z.number(), denial_count: z.int() }),
        timestamp: z.iso.datetime(),
      }),
    ),
    action: z.enum(['none', 'suspended', 'completed', 'expired']),
  })
  .meta({ id: 'TaskEvaluated' })
export type TaskEvaluated = z.infer<typeof TaskEvaluated>
