import { approverNamed } from '../../console/views.ts'
import { answerApproval } from '../../issuer/approvals.ts'
import { allScopes } from '../../issuer/clients.ts'
import { assessed } from '../../issuer/requests.ts'
import { findUser } from '../../issuer/tasks.ts'
import { issueClientToken, issueUserToken } from '../../issuer/tokens.ts'
import { forgeJwt } from '../../signing/forge.ts'
import { generateSigningKey } from '../../signing/keys.ts'
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
import { created, type Handlers, noContent, ok } from '../message.ts'
import { type Misbehaviour, whyUnknown } from '../misbehave.ts'
import { answerWith } from '../refusals.ts'
import { advance, issuerOf, same, type Tenancy } from '../tenant-context.ts'
import { scriptFrom, usualScript } from './model.ts'

/** What the control plane may do with the harness as a whole. */
export type Tenancies = Readonly<{
  find: (slug: string) => Tenancy | undefined
  slugs: () => string[]
  create: (seed: TenantSeed) => TenantCreated
  /** Puts a tenant back to its seeds. */
  reset: (slug: string) => void
  delete: (slug: string) => void
  /** The defects that can be switched on. */
  misbehaviours: () => Promise<readonly Misbehaviour[]>
  version: string
}>

export type ControlContext = Readonly<{ tenancies: Tenancies; tenancy: () => Tenancy }>

/**
 * Asks for the control token, and refuses browsers that come from elsewhere: neither a foreign
 * `Origin` nor a `Host` that only resolves here (DNS rebinding) gets in.
 */
const controlContext =
  (tenancies: Tenancies, controlToken: string, origin: () => string) =>
  ({ route, request, params, tenancy: found }: Routed<ControlRoute>): ControlContext => {
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
    const tenancy = () => {
      const { tenant: slug = '' } = params
      return found ?? answerWith(404, 'tenant_not_found', `there is no tenant ${slug} here`)
    }
    return { tenancies, tenancy }
  }

/** Whether a `Host` is a name of this harness, and not one that only resolves here (DNS rebinding). */
export const isOurs = (host: string, origin: string) => {
  const name = host.replace(/:\d+$/, '')
  return host === new URL(origin).host || ['localhost', '127.0.0.1', '[::1]'].includes(name)
}

const controlHandlers: Handlers<ControlRoute, ControlContext> = {
  'control.health': ({ tenancies }) =>
    ok({ status: 'ok', tenants: tenancies.slugs().length, version: tenancies.version }),

  'control.tenant.create': async ({ tenancies, body }) => created(await opened(tenancies, body)),
  'control.tenant.put': async ({ tenancies, params, body }) => {
    const { data: tenant, error } = Slug.safeParse(params.tenant)
    if (error) return answerWith(400, 'invalid_request', `path: ${error.issues[0]?.message}`)
    if (body.tenant !== undefined && body.tenant !== tenant) {
      answerWith(400, 'invalid_request', `tenant: expected ${tenant}, as in the path, or nothing`)
    }
    return created(await opened(tenancies, { ...body, tenant }))
  },
  'control.tenant.list': ({ tenancies }) => ok({ tenants: tenancies.slugs() }),
  'control.tenant.delete': ({ tenancies, tenancy }) => {
    tenancies.delete(tenancy().tenant.slug)
    return noContent
  },
  'control.tenant.reset': ({ tenancies, tenancy }) => {
    tenancies.reset(tenancy().tenant.slug)
    return ok({ ok: true })
  },

  'control.clock.read': ({ tenancy }) => ok(reading(tenancy())),
  'control.clock.move': ({ tenancy, body }) => {
    moveClock(tenancy(), body)
    return ok(reading(tenancy()))
  },

  'control.policy.read': ({ tenancy }) => ok(tenancy().tenant.state.policy),
  'control.policy.replace': ({ tenancy, body }) => {
    tenancy().tenant.happen([{ type: 'policy.replaced', policy: body }])
    return ok(tenancy().tenant.state.policy)
  },
  'control.policy.decide': ({ tenancy, body }) => {
    const { state, clock } = tenancy().tenant
    const task = body.task_id === undefined ? undefined : state.tasks.get(body.task_id)
    const { rule, ttl, explanation } = assessed(
      state,
      task,
      {
        agentId: agentNamed(tenancy(), body.agent).id,
        detail: body.authorization_details,
        justification: body.justification,
        requestedTtl: body.requested_ttl,
      },
      clock.now(),
    )
    const status = { approve: 'approved', ask: 'pending', deny: 'denied' }[rule.decision]
    return ok({ status, explanation, ...(rule.decision === 'deny' ? {} : { granted_ttl: ttl }) })
  },
  'control.approver.script': ({ tenancy, body }) => {
    if (body.by !== undefined && findUser(tenancy().tenant.state, body.by) === undefined) {
      answerWith(400, 'invalid_request', 'by: expected the e-mail of a user of this tenant')
    }
    tenancy().tenant.happen([{ type: 'approver.scripted', script: body }])
    return ok(body)
  },
  'control.dialect.read': ({ tenancy }) => ok(tenancy().tenant.state.dialect),
  'control.dialect.set': ({ tenancy, body }) => {
    tenancy().tenant.happen([{ type: 'dialect.set', dialect: body }])
    return ok(body)
  },

  'control.limits.read': ({ tenancy }) => ok(tenancy().tenant.state.limits),
  'control.limits.set': ({ tenancy, body }) => {
    tenancy().tenant.happen([{ type: 'limits.set', limits: body }])
    return ok(body)
  },
  'control.approval.answer': ({ tenancy, params, body }) => {
    const { approvalToken: approvalId = '' } = params
    const { tenant } = tenancy()
    const asked = tenant.state.approvals.get(approvalId)?.approval
    tenant.run(answerApproval, {
      approvalId,
      as: body.decision === 'approve' ? 'approved' : 'denied',
      userId: asked?.userId ?? '',
      agentHeld: false,
    })
    return ok({ ok: true })
  },

  'control.user.token': async ({ tenancy, body }) => {
    const { tenant } = tenancy()
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
      mayAct: body.may_act && `agent:${agentNamed(tenancy(), body.may_act).name}`,
    })
    return created({
      access_token: await accessToken(tenancy(), token),
      token_type: 'Bearer',
      expires_in: body.expires_in,
    })
  },
  'control.workload.token': async ({ tenancy, body }) => {
    const { tenant, platforms } = tenancy()
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
      aud: body.audience ?? issuerOf(tenancy()),
      iat: now,
      exp: now + body.expires_in,
    }
    return created({
      access_token: await signJwt(key, claims, platformHeader),
      token_type: 'Bearer',
      expires_in: body.expires_in,
    })
  },
  'control.key.rotate': async ({ tenancy, body }) => {
    const { tenant, keys } = tenancy()
    const key = await generateSigningKey(body.algorithm ?? keys.current.alg)
    const { kid, alg } = key
    keys.publish(key)
    if (body.sign) keys.signWith(kid)
    tenant.happen([{ type: body.sign ? 'key.rotated' : 'key.published', kid, alg }])
    return created(keysOf(tenancy()))
  },
  'control.key.sign': ({ tenancy, params }) => {
    const { tenant, keys } = tenancy()
    const { kid, alg } = publishedKey(tenancy(), params.kid)
    if (kid !== keys.current.kid) {
      keys.signWith(kid)
      tenant.happen([{ type: 'key.rotated', kid, alg }])
    }
    return ok(keysOf(tenancy()))
  },
  'control.key.retire': ({ tenancy, params }) => {
    const { tenant, keys } = tenancy()
    const { kid } = publishedKey(tenancy(), params.kid)
    if (kid === keys.current.kid) {
      answerWith(409, 'key_in_use', 'this key signs: rotate first, then retire it')
    }
    keys.retire(kid)
    tenant.happen([{ type: 'key.retired', kid }])
    return ok(keysOf(tenancy()))
  },
  'control.token.forge': async ({ tenancy, body }) => {
    const { tenant, keys } = tenancy()
    const agent = agentNamed(tenancy(), body.agent)
    const [{ token }] = tenant.run(issueClientToken, { client: agent })
    const claims = Object.entries({ ...claimsOf(tenancy(), token), ...body.claims })
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

  'control.console.link': ({ tenancy, body }) => {
    const { tenant, sessions, origins } = tenancy()
    const approver = approverNamed(tenant.state, body.user)
    if (approver === undefined && !body.operator) {
      answerWith(400, 'invalid_request', 'user: expected an approver of this tenant')
    }
    const { code, expiresIn } = sessions.invite({ userId: approver?.id, operator: body.operator })
    const url = `${origins.issuer}/console/${tenant.slug}#code=${code}`
    return created({ url, expires_in: expiresIn })
  },

  'control.journal': async ({ tenancy, query }) => ok(await journalAfter(tenancy(), query)),
  'control.exchanges': ({ tenancy, query }) => {
    const { exchanges } = tenancy()
    return ok({
      exchanges: exchanges.after(query.after),
      next: exchanges.last,
      forgotten: exchanges.forgotten,
    })
  },

  'control.model.read': ({ tenancy }) => ok(tenancy().model.script ?? usualScript()),
  'control.model.script': ({ tenancy, body }) => {
    const { model } = tenancy()
    model.script = scriptFrom(body)
    return ok(model.script)
  },
  'control.model.conversations': ({ tenancy, query }) => {
    const { model, tenant } = tenancy()
    const { conversations } = model
    const secrets = new Set([...tenant.state.agents.values()].map((it) => it.secretHash))
    return ok({
      conversations: conversations.after(query.after, secrets),
      next: conversations.last,
      forgotten: conversations.forgotten,
    })
  },

  'control.misbehaviours.read': async ({ tenancy }) => ok(await misbehaviours(tenancy())),
  'control.misbehaviours.on': async ({ tenancy, body }) => {
    if (tenancy().misbehaving.active.length >= mostActive) tooMany(mostActive, 'misbehaviours')
    refuseUnknown('name', body.name, await tenancy().misbehaving.known())
    await tenancy().misbehaving.on(body)
    return ok(await misbehaviours(tenancy()))
  },
  'control.misbehaviours.off': ({ tenancy, query }) => {
    tenancy().misbehaving.off(query.name)
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

const opened = async (tenancies: Tenancies, seed: TenantSeed): Promise<TenantCreated> => {
  if (seed.misbehave.length > 0) {
    const known = await tenancies.misbehaviours()
    for (const { name } of seed.misbehave) refuseUnknown('misbehave', name, known)
  }
  if (seed.tenant !== undefined && tenancies.find(seed.tenant)) {
    answerWith(409, 'tenant_exists', `there is already a tenant ${seed.tenant}`)
  }
  if (tenancies.slugs().length >= mostTenants) tooMany(mostTenants, 'tenants')
  return tenancies.create(seed)
}

const refuseUnknown = (where: string, name: string, known: readonly Misbehaviour[]): void => {
  const why = whyUnknown(name, known)
  if (why !== undefined) answerWith(400, 'invalid_request', `${where}: ${why}`)
}

const mostTenants = 10_000
const mostActive = 100

export const tooMany = (limit: number, what: string) =>
  answerWith(429, 'limit_reached', `no more than ${limit} ${what} at a time`, { limit })

/** @throws {Refusing} 400 for a moment that is over */
export const moveClock = (tenancy: Tenancy, to: MoveClock): void => {
  const { clock } = tenancy.tenant
  const by = 'advance' in to ? to.advance : Date.parse(to.set) / 1000 - clock.now()
  if (by < 0) answerWith(400, 'invalid_request', 'time does not run backwards here')
  if (clock.now() + by > lastMoment) {
    answerWith(400, 'invalid_request', 'expected a moment before the year 9900')
  }
  advance(tenancy, by)
}

/** What begins then and lasts as long as it may still ends in a year of four digits (RFC 3339). */
const lastMoment = Date.UTC(9899, 11, 31) / 1000

export const reading = ({ tenant: { clock } }: Tenancy) => ({
  now: isoTime(clock.now()),
  epoch: clock.now(),
})

export const misbehaviours = async ({ misbehaving }: Tenancy) => ({
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
const publishedKey = ({ keys }: Tenancy, kid = '') =>
  keys.find(kid) ?? answerWith(404, 'not_found', `there is no key ${kid} here`)

const keysOf = ({ keys }: Tenancy) => ({
  current: keys.current.kid,
  published: keys.jwks().keys.map(({ kid }) => kid),
})

const agentNamed = ({ tenant: { state } }: Tenancy, name: string | undefined) =>
  [...state.agents.values()].find((agent) =>
    name === undefined
      ? !agent.resourceServer
      : [agent.name, agent.id, agent.clientId].includes(name),
  ) ?? answerWith(400, 'invalid_request', 'agent: expected the name of an agent of this tenant')

/** What is there at once, or the first thing that comes within `wait` real seconds. */
const journalAfter = async (
  { tenant: { journal }, ended: { signal: ended } }: Tenancy,
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
