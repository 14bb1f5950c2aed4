import '../wire/require-node.ts'

export { expressApps } from './express-apps.ts'
export {
  type AccessTokenClaims,
  type AuthorizationDetail,
  type ChallengeFormat,
  type LumoAuthGuard,
  type LumoAuthGuardOptions,
  lumoauthGuard,
  type Required,
  type Requirement,
} from './express-guard.ts'
