import type { User } from '../../../issuer/event.ts'

/** Claims of a user (OpenID Connect Core §5.1), by scope; all of them without a scope. */
export const userClaims = (user: User, scope?: string): Readonly<Record<string, unknown>> => {
  const asked = (name: string) => scope === undefined || scope.split(' ').includes(name)
  const [given = user.name, ...family] = user.name.split(' ')
  return {
    ...(asked('profile')
      ? {
          name: user.name,
          given_name: given,
          ...(family.length === 0 ? {} : { family_name: family.join(' ') }),
          ...(user.picture === undefined ? {} : { picture: user.picture }),
          ...(user.updatedAt === undefined ? {} : { updated_at: user.updatedAt }),
        }
      : {}),
    ...(asked('email') ? { email: user.email, email_verified: true } : {}),
  }
}
