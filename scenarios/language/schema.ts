import { z } from 'zod'
import { Steps } from './action.ts'
import { actions, type Word } from './actions.ts'
import { Scenario, stepOf } from './format.ts'
import { Expected, matchers } from './match.ts'

/** JSON Schema of a scenario file, for editors: made from the schemas that check it. */
export const scenarioSchema = (): Record<string, unknown> => {
  const step = z.union(
    Object.keys(actions).map((word) => stepOf(word as Word)) as [z.ZodObject, z.ZodObject],
  )
  const convert = (schema: z.ZodType) =>
    z.toJSONSchema(schema, {
      target: 'draft-7',
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        if ((zodSchema as unknown) === Steps) {
          Object.assign(jsonSchema, {
            type: 'array',
            minItems: 1,
            items: { $ref: '#/definitions/Step' },
          })
        }
        if ((zodSchema as unknown) === Expected) jsonSchema.$ref = '#/definitions/Expected'
      },
    }) as Record<string, unknown> & { definitions?: Record<string, unknown> }

  const { $schema, definitions: ofScenario, ...scenario } = convert(Scenario)
  const { $schema: _, definitions: ofStep, ...oneStep } = convert(step)
  return {
    $schema,
    title: 'A scenario of lumoauth-harness',
    ...scenario,
    definitions: { ...ofScenario, ...ofStep, Step: oneStep, Expected: expected(convert) },
  }
}

/** An expectation: any value, or matchers, which editors suggest. */
const expected = (convert: (schema: z.ZodType) => Record<string, unknown>) => ({
  anyOf: [
    { type: ['string', 'number', 'boolean', 'null'] },
    { type: 'array', items: { $ref: '#/definitions/Expected' } },
    {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(matchers).map(([word, { says, takes }]) => {
          const { $schema: _, ...schema } = convert(takes)
          return [word, { ...schema, description: says }]
        }),
      ),
      additionalProperties: { $ref: '#/definitions/Expected' },
    },
  ],
})
