import { aauthRoutes } from './aauth.ts'
import { agentRoutes } from './agent.ts'
import { apiRoutes } from './api.ts'
import { consoleRoutes } from './console.ts'
import { controlRoutes } from './control.ts'
import { discoveryRoutes } from './discovery.ts'
import { openApiRoutes } from './docs.ts'
import { jitRoutes } from './jit.ts'
import { modelRoutes } from './model.ts'
import { oauthRoutes } from './oauth.ts'
import { signalRoutes } from './signal.ts'

/** What the issuer answers, under both prefixes. */
const issuerRoutes = {
  ...oauthRoutes,
  ...discoveryRoutes,
  ...jitRoutes,
  ...agentRoutes,
  ...signalRoutes,
  ...aauthRoutes,
} as const

/** Every endpoint of every seat. */
export const routes = {
  ...issuerRoutes,
  ...apiRoutes,
  ...controlRoutes,
  ...consoleRoutes,
  ...modelRoutes,
  ...openApiRoutes,
} as const

export type RouteName = keyof typeof routes
export type IssuerRoute = keyof typeof issuerRoutes
export type ApiRoute = keyof typeof apiRoutes
export type ControlRoute = keyof typeof controlRoutes
export type ConsoleRoute = keyof typeof consoleRoutes
export type ModelRoute = keyof typeof modelRoutes
export type OpenApiRoute = keyof typeof openApiRoutes
