import { TenantSeed } from '../../server/wire/index.ts'
import { inputSchema } from '../policies/schema.ts'

/** JSON Schema of `tenants.yaml`, for editors: one tenant, or `tenants`. */
export const tenantsSchema = (): object => {
  // The schema has an id, so it stands among the definitions.
  const { $schema, definitions } = inputSchema(TenantSeed)
  return {
    $schema,
    title: 'The tenants of lumoauth-harness start',
    if: { required: ['tenants'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: {
      type: 'object',
      properties: {
        tenants: {
          description: 'The tenants.',
          type: 'array',
          minItems: 1,
          items: { $ref: '#/definitions/TenantSeed' },
        },
      },
      additionalProperties: false,
    },
    else: { $ref: '#/definitions/TenantSeed' },
    definitions,
  }
}
