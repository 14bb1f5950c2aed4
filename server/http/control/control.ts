import { approverNamed } from '../../console/views.ts'
import { answerApproval } from '../../issuer/approvals.ts'
import { allScopes } from '../../issuer/clients.ts'
import { assessRequest } from '../../issuer/requests.ts'
import { findUser } from '../../issuer/tasks.ts'
import { issueClientToken, issueUserToken } from '../../issuer/tokens.ts'
import { usualScript } from '../../model/scripted-model.ts'
import { forgeJwt } from '../../signing/forge.ts'
import { generateSigningKey } from '../../signing/keys.ts'
import { same } from '../../signing/secrets.ts'
import { type Header, signJwt } from '../../signing/sign.ts'
import {
  type ControlRoute,
  type Journal,
  type MoveClock,
  Slug,
  type TenantCreated,
  type TenantSeed,
} from '../../wire/index.ts'
import type { Area, Routed } from '../core.ts'
import { isoTime } from '../iso-time.ts'
import { accessToken, claimsOf } from '../issuer/oauth/access-token.ts'
import { bearerToken } from '../issuer/oauth/bearer.ts'
import { issuerOf } from '../issuer-urls.ts'
import { created, type Handlers, noContent, ok } from '../message.ts'
import { describeUnknownMisbehaviour, type Misbehaviour } from '../misbehave.ts'
import { answerWith } from '../refusals.ts'
import { isOurs } from '../same-origin.ts'
import { advance, type TenantContext } from '../tenant-context.ts'
import { scriptFrom } from './model.ts'

/** What the control plane may do with the harness as a whole. */
export type TenantRegistry = Readonly<{
  find: (slug: string) => TenantContext | undefined
  slugs: () => string[]
  create: (seed: TenantSeed) => TenantCreated
  /** Puts a tenant back to its seeds. */
  reset: (slug: string) => void
  delete: (slug: string) => void
  /** The defects that can be switched on. */
  misbehaviours: () => Promise<readonly Misbehaviour[]>
  version: string
}>

export type ControlContext = Readonly<{ registry: TenantRegistry; context: () => TenantContext }>

/**
 * Asks for the control token, and refuses browsers that come from elsewhere: neither a foreign
 * `Origin` nor a `Host` that only resolves here (DNS rebinding) gets in.
 */
const controlContext =
  (registry: TenantRegistry, controlToken: string, origin: () => string) =>
  ({ route, request, params, context: found }: Routed<ControlRoute>): ControlContext => {
    if (route.auth === 'control') {
      const { host, origin: from } = request.headers
      if (from !== undefined && from !== origin()) {
        answerWith(403, 'foreign_origin', 'the control plane does not answer other origins')
      }
      if (host !== undefined && !isOurs(host, origin())) {
        answerWith(403, 'foreign_host', 'the control plane does not answer under this name')
      }
      if (!same(bearerToken(request) ?? '', controlToken)) {
        answerWith(
          401,
          'invalid_token',
          'expected Authorization: Bearer with the control token',
          {},
          {
            'www-authenticate': 'Bearer realm="control"',
          },
        )
      }
    }
    const context = () => {
      const { tenant: slug = '' } = params
      return found ?? answerWith(404, 'tenant_not_found', `there is no tenant ${slug} here`)
    }
    return { registry, context }
  }

const controlHandlers: Handlers<ControlRoute, ControlContext> = {
  'control.health': ({ registry }) =>
    ok({ status: 'ok', tenants: registry.slugs().length, version: registry.version }),

  'control.tenant.create': async ({ registry, body }) =>
    created(await createTenant(registry, body)),
  'control.tenant.put': async ({ registry, params, body }) => {
    const { data: tenant, error } = Slug.safeParse(params.tenant)
    if (error) return answerWith(400, 'invalid_request', `path: ${error.issues[0]?.message}`)
    if (body.tenant !== undefined && body.tenant !== tenant) {
      answerWith(400, 'invalid_request', `tenant: expected ${tenant}, as in the path, or nothing`)
    }
    return created(await createTenant(registry, { ...body, tenant }))
  },
  'control.tenant.list': ({ registry }) => ok({ tenants: registry.slugs() }),
  'control.tenant.delete': ({ registry, context }) => {
    registry.delete(context().tenant.slug)
    return noContent
  },
  'control.tenant.reset': ({ registry, context }) => {
    registry.reset(context().tenant.slug)
    return ok({ ok: true })
  },

  'control.clock.read': ({ context }) => ok(readClock(context())),
  'control.clock.move': ({ context, body }) => {
    moveClock(context(), body)
    return ok(readClock(context()))
  },

  'control.policy.read': ({ context }) => ok(context().tenant.state.policy),
  'control.policy.replace': ({ context, body }) => {
    context().tenant.happen([{ type: 'policy.replaced', policy: body }])
    return ok(context().tenant.state.policy)
  },
  'control.policy.decide': ({ context, body }) => {
    const { state, clock } = context().tenant
    const task = body.task_id === undefined ? undefined : state.tasks.get(body.task_id)
    const { rule, ttl, explanation } = assessRequest(
      state,
      task,
      {
        agentId: agentNamed(context(), body.agent).id,
        detail: body.authorization_details,
        justification: body.justification,
        requestedTtl: body.requested_ttl,
      },
      clock.now(),
    )
    const status = { approve: 'approved', ask: 'pending', deny: 'denied' }[rule.decision]
    return ok({ status, explanation, ...(rule.decision === 'deny' ? {} : { granted_ttl: ttl }) })
  },
  'control.approver.script': ({ context, body }) => {
    if (body.by !== undefined && findUser(context().tenant.state, body.by) === undefined) {
      answerWith(400, 'invalid_request', 'by: expected the e-mail of a user of this tenant')
    }
    context().tenant.happen([{ type: 'approver.scripted', script: body }])
    return ok(body)
  },
  'control.dialect.read': ({ context }) => ok(context().tenant.state.dialect),
  'control.dialect.set': ({ context, body }) => {
    context().tenant.happen([{ type: 'dialect.set', dialect: body }])
    return ok(body)
  },

  'control.limits.read': ({ context }) => ok(context().tenant.state.limits),
  'control.limits.set': ({ context, body }) => {
    context().tenant.happen([{ type: 'limits.set', limits: body }])
    return ok(body)
  },
  'control.approval.answer': ({ context, params, body }) => {
    const { approvalToken: approvalId = '' } = params
    const { tenant } = context()
    const asked = tenant.state.approvals.get(approvalId)?.approval
    tenant.run(answerApproval, {
      approvalId,
      as: body.decision === 'approve' ? 'approved' : 'denied',
      userId: asked?.userId ?? '',
      agentHeld: false,
    })
    return ok({ ok: true })
  },

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
        'user: expected the e-mail or id of a user of this tenant',
      )
    }
    const [{ token }] = tenant.run(issueUserToken, {
      userId: user.id,
      clientId: 'control-plane',
      scope: body.scope ?? allScopes(state).join(' '),
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
      return answerWith(400, 'invalid_request', 'issuer: expected a platform the harness plays')
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
  'control.key.rotate': async ({ context, body }) => {
    const { tenant, keys } = context()
    const key = await generateSigningKey(body.algorithm ?? keys.current.alg)
    const { kid, alg } = key
    keys.publish(key)
    if (body.sign) keys.signWith(kid)
    tenant.happen([{ type: body.sign ? 'key.rotated' : 'key.published', kid, alg }])
    return created(keysOf(context()))
  },
  'control.key.sign': ({ context, params }) => {
    const { tenant, keys } = context()
    const { kid, alg } = publishedKey(context(), params.kid)
    if (kid !== keys.current.kid) {
      keys.signWith(kid)
      tenant.happen([{ type: 'key.rotated', kid, alg }])
    }
    return ok(keysOf(context()))
  },
  'control.key.retire': ({ context, params }) => {
    const { tenant, keys } = context()
    const { kid } = publishedKey(context(), params.kid)
    if (kid === keys.current.kid) {
      answerWith(409, 'key_in_use', 'this key signs: rotate first, then retire it')
    }
    keys.retire(kid)
    tenant.happen([{ type: 'key.retired', kid }])
    return ok(keysOf(context()))
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

  'control.journal': async ({ context, query }) => ok(await journalAfter(context(), query)),
  'control.exchanges': ({ context, query }) => {
    const { exchanges } = context()
    return ok({
      exchanges: exchanges.after(query.after),
      next: exchanges.last,
      forgotten: exchanges.forgotten,
    })
  },

  'control.model.read': ({ context }) => ok(context().model.script ?? usualScript()),
  'control.model.script': ({ context, body }) => {
    const { model } = context()
    model.script = scriptFrom(body)
    return ok(model.script)
  },
  'control.model.conversations': ({ context, query }) => {
    const { model, tenant } = context()
    const { conversations } = model
    const secrets = new Set([...tenant.state.agents.values()].map((it) => it.secretHash))
    return ok({
      conversations: conversations.after(query.after, secrets),
      next: conversations.last,
      forgotten: conversations.forgotten,
    })
  },

  'control.misbehaviours.read': async ({ context }) => ok(await misbehaviours(context())),
  'control.misbehaviours.on': async ({ context, body }) => {
    if (context().misbehaving.active.length >= mostActive) tooMany(mostActive, 'misbehaviours')
    refuseUnknown('name', body.name, await context().misbehaving.known())
    await context().misbehaving.on(body)
    return ok(await misbehaviours(context()))
  },
  'control.misbehaviours.off': ({ context, query }) => {
    context().misbehaving.off(query.name)
    return noContent
  },
}

/** The control plane, below `/_harness`. */
export const controlArea = (
  ...harness: Parameters<typeof controlContext>
): Area<ControlRoute, ControlContext> => ({
  handlers: controlHandlers,
  authenticate: controlContext(...harness),
})

const createTenant = async (registry: TenantRegistry, seed: TenantSeed): Promise<TenantCreated> => {
  if (seed.misbehave.length > 0) {
    const known = await registry.misbehaviours()
    for (const { name } of seed.misbehave) refuseUnknown('misbehave', name, known)
  }
  if (seed.tenant !== undefined && registry.find(seed.tenant)) {
    answerWith(409, 'tenant_exists', `there is already a tenant ${seed.tenant}`)
  }
  if (registry.slugs().length >= mostTenants) tooMany(mostTenants, 'tenants')
  return registry.create(seed)
}

const refuseUnknown = (where: string, name: string, known: readonly Misbehaviour[]): void => {
  const why = describeUnknownMisbehaviour(name, known)
  if (why !== undefined) answerWith(400, 'invalid_request', `${where}: ${why}`)
}

const mostTenants = 10_000
const mostActive = 100

export const tooMany = (limit: number, what: string) =>
  answerWith(429, 'limit_reached', `no more than ${limit} ${what} at a time`, { limit })

/** @throws {Refusing} 400 for a moment that is over */
export const moveClock = (context: TenantContext, to: MoveClock): void => {
  const { clock } = context.tenant
  const by = 'advance' in to ? to.advance : Date.parse(to.set) / 1000 - clock.now()
  if (by < 0) answerWith(400, 'invalid_request', 'time does not run backwards here')
  if (clock.now() + by > lastMoment) {
    answerWith(400, 'invalid_request', 'expected a moment before the year 9900')
  }
  advance(context, by)
}

/** What begins then and lasts as long as it may still ends in a year of four digits (RFC 3339). */
const lastMoment = Date.UTC(9899, 11, 31) / 1000

export const readClock = ({ tenant: { clock } }: TenantContext) => ({
  now: isoTime(clock.now()),
  epoch: clock.now(),
})

export const misbehaviours = async ({ misbehaving }: TenantContext) => ({
  active: misbehaving.active,
  known: (await misbehaving.known()).map(({ name, seat, says, breaks, routes }) => ({
    name,
    seat,
    says,
    breaks,
    ...(routes === undefined ? {} : { routes }),
  })),
})

const platformHeader: Header = { typ: 'JWT' }

/** @throws {Refusing} 404 for a key that is not published */
const publishedKey = ({ keys }: TenantContext, kid = '') =>
  keys.find(kid) ?? answerWith(404, 'not_found', `there is no key ${kid} here`)

const keysOf = ({ keys }: TenantContext) => ({
  current: keys.current.kid,
  published: keys.jwks().keys.map(({ kid }) => kid),
})

const agentNamed = ({ tenant: { state } }: TenantContext, name: string | undefined) =>
  [...state.agents.values()].find((agent) =>
    name === undefined
      ? !agent.resourceServer
      : [agent.name, agent.id, agent.clientId].includes(name),
  ) ?? answerWith(400, 'invalid_request', 'agent: expected the name of an agent of this tenant')

/** What is there at once, or the first thing that comes within `wait` real seconds. */
const journalAfter = async (
  { tenant: { journal }, ended: { signal: ended } }: TenantContext,
  { after, type, wait }: { after: number; type?: string | undefined; wait: number },
): Promise<Journal> => {
  const matching = () =>
    journal.after(after).filter((entry) => type === undefined || entry.type === type)
  if (wait > 0 && matching().length === 0 && !ended.aborted) {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        unlisten()
        ended.removeEventListener('abort', done)
        resolve()
      }
      ended.addEventListener('abort', done)
      const timer = setTimeout(done, wait * 1000)
      const unlisten = journal.listen(() => matching().length > 0 && done())
    })
  }
  return { entries: [...matching()], next: journal.last, forgotten: journal.forgotten }
}
