import { approverNamed } from '../../console/views.ts'
import type { User } from '../../issuer/event.ts'
import { controlPlaneClient } from '../../issuer/oauth/authority.ts'
import { allScopes } from '../../issuer/oauth/clients.ts'
import { issueClientToken, issueUserToken } from '../../issuer/oauth/tokens.ts'
import type { State } from '../../issuer/state.ts'
import { findUser } from '../../issuer/tasks.ts'
import { forgeJwt } from '../../signing/forge.ts'
import { type Header, signJwt } from '../../signing/sign.ts'
import { approveScope } from '../../wire/index.ts'
import { accessToken, claimsOf } from '../issuer/oauth/access-token.ts'
import { created, type Handlers } from '../message.ts'
import { issuerOf } from '../origin/issuer-urls.ts'
import { answerWith } from '../refusals.ts'
import type { ControlContext } from './context.ts'
import { agentNamed } from './find-agent.ts'

/** Tokens and sign-in links for tests. */
export const credentialHandlers: Handlers<
  'control.user.token' | 'control.workload.token' | 'control.token.forge' | 'control.console.link',
  ControlContext
> = {
  'control.user.token': async ({ context, body }) => {
    const { tenant } = context()
    const { state } = tenant
    const user =
      body.user === undefined
        ? [...state.users.values()].find(({ permissions }) => permissions.includes('jit.approve'))
        : findUser(state, body.user)
    if (user === undefined) {
      return answerWith(
        400,
        'invalid_request',
        'user: expected the e-mail address or id of a user of this tenant',
      )
    }
    const [{ token }] = tenant.run(issueUserToken, {
      userId: user.id,
      clientId: controlPlaneClient,
      scope: scopeFor(state, user, body.scope),
      lifetime: body.expires_in,
      details: body.authorization_details,
      mayAct: body.may_act && `agent:${agentNamed(context(), body.may_act).name}`,
    })
    return created({
      access_token: await accessToken(context(), token),
      token_type: 'Bearer',
      expires_in: body.expires_in,
    })
  },
  'control.workload.token': async ({ context, body }) => {
    const { tenant, platforms } = context()
    const [first] = tenant.state.workloads
    const { issuer = first?.issuer ?? '', subject = first?.subject } = body
    const key = platforms.get(issuer)
    if (key === undefined) {
      return answerWith(400, 'invalid_request', 'issuer: expected a simulated platform')
    }
    const now = tenant.clock.now()
    const claims = {
      iss: issuer,
      sub: subject,
      aud: body.audience ?? issuerOf(context()),
      iat: now,
      exp: now + body.expires_in,
    }
    return created({
      access_token: await signJwt(key, claims, platformHeader),
      token_type: 'Bearer',
      expires_in: body.expires_in,
    })
  },
  'control.token.forge': async ({ context, body }) => {
    const { tenant, keys } = context()
    const agent = agentNamed(context(), body.agent)
    const [{ token }] = tenant.run(issueClientToken, { client: agent })
    const claims = Object.entries({ ...claimsOf(context(), token), ...body.claims })
    const forged = await forgeJwt(
      keys.current,
      body.key,
      Object.fromEntries(claims.filter(([, value]) => value !== null)),
      body.header,
    )
    return created({
      access_token: forged,
      token_type: 'Bearer',
      expires_in: token.expiresAt - token.issuedAt,
    })
  },
  'control.console.link': ({ context, body }) => {
    const { tenant, sessions, origins } = context()
    const approver = approverNamed(tenant.state, body.user)
    if (approver === undefined && !body.operator) {
      answerWith(400, 'invalid_request', 'user: expected an approver of this tenant')
    }
    const { code, expiresIn } = sessions.invite({ userId: approver?.id, operator: body.operator })
    const url = `${origins.issuer}/console/${tenant.slug}#code=${code}`
    return created({ url, expires_in: expiresIn })
  },
}

/**
 * All scopes unless some are given, and `jit:approve` for an approver (CONTRACT.md#who-may-decide).
 */
const scopeFor = (state: State, user: User, scope = allScopes(state).join(' ')): string =>
  user.permissions.includes('jit.approve') ? `${scope} ${approveScope}`.trim() : scope

const platformHeader: Header = { typ: 'JWT' }
