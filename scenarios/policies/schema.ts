import { z } from 'zod'
import { Policy, RequestFacts } from '../../server/wire/index.ts'
import { PolicyTest, Written } from './format.ts'

/** JSON Schema of a policy file, for editors. */
export const policySchema = (): object => ({ ...inputSchema(Policy), title: 'A policy' })

/** JSON Schema of a policy test file, for editors. A variable may stand for any fact. */
export const policyTestSchema = (): object => {
  const facts = inputSchema(z.strictObject(RequestFacts.shape)).properties as Record<string, object>
  const properties = Object.fromEntries(
    Object.entries(facts).map(([name, schema]) => [
      name,
      // A detail may contain variables, so it is checked after they have their values.
      name === 'authorization_details'
        ? { description: 'What the agent asks for: an authorization detail.' }
        : { anyOf: [schema, { type: 'string', pattern: '^\\$' }] },
    ]),
  )
  const schema = inputSchema(PolicyTest, ({ zodSchema, jsonSchema }) => {
    if ((zodSchema as unknown) === Written) jsonSchema.properties = properties as never
  })
  return { ...schema, title: 'Tests of a policy' }
}

/** JSON Schema of what may be written, for editors. */
export const inputSchema = (
  schema: z.ZodType,
  override: NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override'] = () => {},
) =>
  z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override,
  }) as Record<string, unknown>
