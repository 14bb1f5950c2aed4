import { aauthRoutes } from '../../wire/routes/aauth.ts'
import type { Handlers } from '../message.ts'
import { answerWith } from '../refusals.ts'
import type { IssuerContext } from './context.ts'

type AauthRoute = keyof typeof aauthRoutes

const notImplemented = () =>
  answerWith(
    501,
    'not_implemented',
    'AAuth is not part of this harness; agents get tokens from oauth/token',
  )

export const aauthHandlers = Object.fromEntries(
  Object.keys(aauthRoutes).map((name) => [name, notImplemented]),
) as unknown as Handlers<AauthRoute, IssuerContext>
