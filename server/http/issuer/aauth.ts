import { aauthRoutes } from '../../wire/routes/aauth.ts'
import { adminRoutes } from '../../wire/routes/admin.ts'
import type { Handlers } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'

const handlersOf = <N extends keyof typeof aauthRoutes | keyof typeof adminRoutes>(
  routes: Readonly<Record<N, unknown>>,
  says: string,
) =>
  Object.fromEntries(
    Object.keys(routes).map((name) => [name, () => answerWith(501, 'not_implemented', says)]),
  ) as unknown as Handlers<N, IssuerContext>

export const aauthHandlers = handlersOf(
  aauthRoutes,
  'AAuth is not part of this harness; agents get their tokens by OAuth at oauth/token',
)

export const adminHandlers = handlersOf(
  adminRoutes,
  'the admin API is not part of this harness; its configuration and control plane take its place',
)
