import { z } from 'zod'
import { ScenarioSeed } from '../../server/wire/index.ts'
import { Steps } from './action.ts'
import { actions, type Word } from './actions.ts'
import { capabilities } from './capabilities.ts'
import { Expected } from './match.ts'
import { RuleId } from './rule-id.ts'
import { Saved } from './save.ts'
import { credentials } from './step-context.ts'

/** What a tenant contains before the first step. Its clock is frozen unless `clock: system`. */
export const Given = ScenarioSeed.meta({ id: 'Given' })
export type Given = z.input<typeof Given>

/** The time at which the clock of a scenario is frozen. */
export const frozenAt = '2026-11-24T03:00:00.000Z'

/** One scenario, one file. */
export const Scenario = z
  .strictObject({
    scenario: z
      .string()
      .min(10)
      .max(160)
      .describe('The title: the rule it shows, in one sentence.'),
    covers: z.array(RuleId).min(1).optional().describe('The rules it shows.'),
    tags: z.array(z.string().regex(/^[a-z0-9-]+$/)).optional(),
    needs: z
      .array(z.enum(capabilities))
      .optional()
      .describe('Capabilities a target must have, beyond those the steps imply.'),
    prefix: z
      .enum(['tenant', 'org', 'both'])
      .default('tenant')
      .describe('The prefix of the issuer: /t/…, /orgs/…, or one run under each.'),
    given: Given.optional().describe('What the tenant contains.'),
    tenants: z
      .record(z.string().regex(/^[a-z][a-z0-9]{0,15}$/), Given)
      .optional()
      .describe('Several tenants, by a name for `in`; the first is the default.'),
    steps: Steps,
  })
  .refine((it) => it.given === undefined || it.tenants === undefined, {
    error: 'expected given (one tenant) or tenants (several), not both',
    path: ['tenants'],
  })
export type Scenario = z.input<typeof Scenario>

const Name = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, { error: 'expected a name: letters, digits, underscore' })

const modifiers = {
  with: z
    .string()
    .optional()
    .describe(`The credentials: ${credentials.join(', ')}, or a token such as $stolen.`),
  as: z.string().optional().describe('The acting agent (by name) or user (by e-mail).'),
  in: z.string().optional().describe('The tenant, where the scenario has several.'),
  prefix: z.enum(['tenant', 'org']).optional(),
  given_that: z
    .string()
    .min(3)
    .max(80)
    .optional()
    .describe(
      'This step is a precondition, in words: where its expectation is not met, a check says "not tested" instead of naming a rule. So is every step without `expect` before the last.',
    ),
  note: z.string().optional().describe('Why this step is needed.'),
}

const save = {
  save: z
    .record(Name, Saved)
    .optional()
    .describe('Variables to save: a name, and the path of its value in the answer.'),
}

const answer = {
  status: Expected.optional().describe('The HTTP status.'),
  error: Expected.optional().describe('The error code in the body.'),
  headers: z.record(z.string(), Expected).optional(),
  body: Expected.optional(),
  challenge: Expected.optional().describe('The challenged authorization detail.'),
  violation: Expected.optional().describe(
    'The expected violation of the wire schema; without it a violation fails the step.',
  ),
}

const expectations = {
  answer: { expect: z.strictObject(answer).optional(), ...save },
  fields: { expect: z.object(answer).catchall(Expected).optional(), ...save },
  value: { expect: z.record(z.string(), Expected).optional(), ...save },
  nothing: {},
}

/** The schema of a step, by its action. Built once, because zod compiles each schema. */
export const stepOf = (word: Word): z.ZodObject => {
  const made = steps.get(word) ?? makeStep(word)
  steps.set(word, made)
  return made
}

const steps = new Map<Word, z.ZodObject>()

const makeStep = (word: Word): z.ZodObject =>
  z.strictObject({
    [word]: actions[word].args.describe(actions[word].says),
    ...expectations[actions[word].looks],
    ...modifiers,
  })

/** The keys of a step beside its action. */
export const modifierWords: readonly string[] = [
  'expect',
  ...Object.keys(save),
  ...Object.keys(modifiers),
]

/** The parts of an answer that `save` can read. */
export const answerParts: readonly string[] = ['status', 'error', 'headers', 'body', 'challenge']

/** Variables that are always set. */
export const alwaysSet: readonly string[] = [
  'tenant',
  'issuer',
  'api',
  'base',
  'agent',
  'agents',
  'users',
  'api_client',
  'unique',
]
