import { aauthRoutes } from './aauth-routes.ts'
import { agentRoutes } from './agent-routes.ts'
import { apiRoutes } from './api-routes.ts'
import { consoleRoutes } from './console-routes.ts'
import { controlRoutes } from './control-routes.ts'
import { discoveryRoutes } from './discovery-routes.ts'
import { jitRoutes } from './jit-routes.ts'
import { modelRoutes } from './model-routes.ts'
import { oauthRoutes } from './oauth-routes.ts'
import { openApiRoutes } from './openapi-routes.ts'
import { signalRoutes } from './signal-routes.ts'

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
