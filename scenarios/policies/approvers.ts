import { z } from 'zod'
import { UsageError } from '../../server/usage-error.ts'
import { TenantSeed } from '../../server/wire/index.ts'
import { FlawedFile, parseYaml } from '../../server/wire/yaml-source.ts'
import { textOf } from './policy-source.ts'

/**
 * The number of users who may approve, in a configuration of `start`. With several tenants, the lowest number.
 * @throws {UsageError} with a line for each mistake in the file
 */
export const approversIn = async (file: string): Promise<number> => {
  const text = await textOf(file)
  try {
    const isSeveral = z
      .looseObject({ tenants: z.unknown() })
      .safeParse(parseYaml(file, text, z.unknown()))
    const tenants =
      isSeveral.data?.tenants === undefined
        ? [parseYaml(file, text, TenantSeed)]
        : parseYaml(file, text, z.strictObject({ tenants: z.array(TenantSeed).min(1) })).tenants
    return Math.min(
      ...tenants.map(
        ({ users }) =>
          users.filter(({ permissions }) => permissions.includes('jit.approve')).length,
      ),
    )
  } catch (wrong) {
    if (wrong instanceof FlawedFile) throw new UsageError(wrong.message)
    throw wrong
  }
}
