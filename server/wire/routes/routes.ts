import { aauthRoutes } from './aauth.ts'
import { adminRoutes } from './admin.ts'
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
  ...adminRoutes,
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

/** The name of a route, of any seat. */
export type RouteName = keyof typeof routes
/** The name of a route of the issuer. */
export type IssuerRoute = keyof typeof issuerRoutes
/** The name of a route of the API. */
export type ApiRoute = keyof typeof apiRoutes
/** The name of a route of the control plane. */
export type ControlRoute = keyof typeof controlRoutes
/** The name of a route of the approvals page. */
export type ConsoleRoute = keyof typeof consoleRoutes
/** The name of a route of the scripted model. */
export type ModelRoute = keyof typeof modelRoutes
/** The name of a route of the OpenAPI documents. */
export type OpenApiRoute = keyof typeof openApiRoutes
