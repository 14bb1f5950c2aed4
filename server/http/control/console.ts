import { parseCookie, stringifySetCookie } from 'cookie'
import { pageHtml } from '../../console/assets.ts'
import { eventStream, newsSince } from '../../console/event-stream.ts'
import type { Session } from '../../console/sessions.ts'
import {
  approverNamed,
  approversOf,
  inboxOf,
  personOf,
  requestView,
  taskList,
  timelineOf,
  toJournalEntry,
} from '../../console/views.ts'
import { PolicyReplayer } from '../../issuer/policy/replay-policy.ts'
import { approveRequest, denyRequest, mayApprove } from '../../issuer/requests.ts'
import type { RequestRecord } from '../../issuer/state.ts'
import { stopTask, withdrawPermission } from '../../issuer/withdraw.ts'
import { same } from '../../signing/secrets.ts'
import { pathOf } from '../../wire/base-url.ts'
import { type ConsoleRoute, Policy, type SignedIn, type SignIn } from '../../wire/index.ts'
import { markup } from '../../wire/markup.ts'
import { FlawedFile, mostForeignTokens, parseYaml } from '../../wire/yaml-source.ts'
import type { Area, Routed } from '../core.ts'
import { type Handlers, type HttpRequest, noContent, ok } from '../message.ts'
import { isSameOrigin, refuseForeignHost, refuseForeignOrigin } from '../origin/same-origin.ts'
import { plainPage } from '../plain-page.ts'
import { answerWith, refuseUnknownTenant } from '../refusals.ts'
import { letApproverAnswer } from '../tenant/scripted-approver.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import { moveClock, readClock } from './clock.ts'
import { type TenantRegistry, tooMany } from './context.ts'
import { listMisbehaviours, switchMisbehaviourOn } from './misbehaviours.ts'
import { journalPage } from './records.ts'

export type ConsoleContext = Readonly<{
  registry: TenantRegistry
  context: () => TenantContext
  /** The session, on routes that require one. */
  session: () => Session
  /** Base URL of the issuer. */
  origin: string
  /** Path prefix of the pages, for example of a proxy; usually empty. */
  path: string
  /** The session id in the browser's cookie. */
  sessionId: string
  isControlToken: (token: string) => boolean
}>

/** Whether an `Origin` is that of the page, which sends it with every request that changes something. */
const isOurPage =
  ({ headers: { host } }: HttpRequest, configured: string) =>
  (from: string | undefined): boolean =>
    from !== undefined && isSameOrigin(from, host, configured)

/**
 * Authenticates the session. A request that changes something must come from our own page: its `Origin`
 * is that of the page, and it has the CSRF token of the session, which other pages cannot read.
 */
const consoleContext =
  (registry: TenantRegistry, controlToken: string, origin: () => string) =>
  ({ route, request, params, context: found }: Routed<ConsoleRoute>): ConsoleContext => {
    const own = request.base ?? origin()
    refuseForeignHost(request, own, area)
    if (route.method !== 'GET') {
      refuseForeignOrigin(request, isOurPage(request, own), area)
    }
    const { tenant: slug = '' } = params
    const context = () => found ?? refuseUnknownTenant(slug)
    const sessionId = cookieOf(request, cookieName(own)) ?? ''
    const session = () => sessionOf(context(), sessionId)
    if (route.auth !== 'none') {
      const { csrfToken, operator } = session()
      if (route.method !== 'GET' && !same(request.headers['x-csrf-token'] ?? '', csrfToken)) {
        answerWith(403, 'csrf', 'expected the X-CSRF-Token of this session')
      }
      if (route.auth === 'operator' && !operator) {
        answerWith(403, 'operator_required', 'expected a sign-in with the control token')
      }
    }
    return {
      registry,
      context,
      session,
      sessionId,
      origin: own,
      path: pathOf(own),
      isControlToken: (token) => same(token, controlToken),
    }
  }

/** The approvals page, below `/console`. */
export const consoleArea = (
  ...harness: Parameters<typeof consoleContext>
): Area<ConsoleRoute, ConsoleContext> => ({
  handlers: consoleHandlers,
  tenantByPath: true,
  authenticate: consoleContext(...harness),
  shapeAnswer: (answer) => ({
    ...answer,
    headers: { 'cache-control': 'no-store', ...answer.headers },
  }),
})

const consoleHandlers: Handlers<ConsoleRoute, ConsoleContext> = {
  'console.home': async ({ registry, query, origin, path }) => {
    const slugs = await registry.list()
    const [only, ...others] = slugs
    const chosen = query.tenant ?? (others.length === 0 ? only : undefined)
    if (chosen === undefined) return tenantsPage(slugs, origin, path)
    const location = `${path}/console/${encodeURIComponent(chosen)}`
    return { status: 303, headers: { location } }
  },
  'console.approval': ({ registry, params, path }) => {
    const { taskId = '' } = params
    const slug =
      registry.slugs().find((it) => registry.find(it)?.tenant.state.tasks.has(taskId)) ??
      refuseNotFound()
    const location = `${path}/console/${encodeURIComponent(slug)}#/tasks/${encodeURIComponent(taskId)}`
    return { status: 303, headers: { location } }
  },
  'console.page': ({ registry, params, path }) => ({
    ...indexPage(path),
    status: registry.find(params.tenant ?? '') ? 200 : 404,
  }),

  'console.session.read': ({ context, session }) => ok(toSignedIn(context(), session())),
  'console.session.open': (call) => {
    const { context, sessionId, request, body, path } = call
    const { sessions, origins } = context()
    const opened = sessions.open(seatOf(call, body))
    sessions.close(sessionId)
    const session = sessionOf(context(), opened.id)
    const { protocol } = new URL(request.headers.origin ?? origins.issuer)
    const cookie = stringifySetCookie({
      name: cookieName(origins.issuer),
      value: opened.id,
      path: `${path}/console/${context().tenant.slug}`,
      maxAge: opened.lifetime,
      httpOnly: true,
      sameSite: 'strict',
      secure: protocol === 'https:',
    })
    return { ...ok(toSignedIn(context(), session)), headers: { 'set-cookie': cookie } }
  },
  'console.session.close': ({ context, sessionId }) => {
    context().sessions.close(sessionId)
    return noContent
  },

  'console.events': ({ context, request, query, sessionId }) => {
    const { tenant, ended, sessions, durable, watching } = context()
    if (watching.count >= mostWatching) tooMany(mostWatching, 'event streams')
    return {
      status: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        // Prevents proxies and compressing middleware from buffering events.
        'x-accel-buffering': 'no',
        'cache-control': 'no-store, no-transform',
      },
      body: eventStream({
        journal: tenant.journal,
        lastEventId: request.headers['last-event-id'] ?? query.last_event_id,
        pulse: () => pulseOf(context()),
        ended: ended.signal,
        allowed: () => sessions.find(sessionId) !== undefined,
        durable,
        watching,
      }),
    }
  },
  'console.news': async ({ context, query }) => {
    const { tenant, durable } = context()
    return ok(
      await newsSince({
        journal: tenant.journal,
        lastEventId: query.last_event_id,
        pulse: () => pulseOf(context()),
        durable,
      }),
    )
  },
  'console.inbox': ({ context, query, session }) => {
    letApproverAnswer(context())
    return ok(inboxOf(context().tenant, session().userId, query))
  },
  'console.approve': ({ context, session, params, body }) => {
    const { requestId = '' } = params
    const { userId = '' } = session()
    const { ttl, actions, notes, agent_message: message } = body
    context().tenant.run(approveRequest, {
      requestId,
      userId,
      ttl,
      actions,
      notes,
      message,
    })
    return ok(viewOfDecided(context(), requestId, userId))
  },
  'console.deny': ({ context, session, params, body }) => {
    const { requestId = '' } = params
    const { userId = '' } = session()
    const { reason, agent_message: message } = body
    context().tenant.run(denyRequest, { requestId, userId, reason, message })
    return ok(viewOfDecided(context(), requestId, userId))
  },
  'console.revoke': ({ context, session, params }) => {
    const { requestId = '' } = params
    const { userId = '' } = session()
    context().tenant.run(withdrawPermission, { requestId, userId })
    return ok(viewOfDecided(context(), requestId, userId))
  },

  'console.tasks': ({ context }) => ok(taskList(context().tenant)),
  'console.task': async ({ context, session, params }) => {
    const { tenant, exchanges } = context()
    const { taskId = '' } = params
    const { userId } = session()
    const all = await exchanges.all()
    return ok(timelineOf(tenant, taskId, all, userId) ?? refuseNotFound())
  },
  'console.task.end': ({ context, session, params }) => {
    const { taskId = '' } = params
    const { userId = '' } = session()
    context().tenant.run(stopTask, { taskId, userId })
    return noContent
  },
  'console.journal': ({ context, query }) => {
    const page = journalPage(context().tenant.journal, query.after)
    return ok({ ...page, entries: page.entries.map(toJournalEntry) })
  },
  'console.exchanges': ({ context, query }) => ok(context().exchanges.pageAfter(query.after)),

  'console.policy.replay': async ({ context, body }) => {
    const policy = policyOf(body.policy)
    let replayer = new PolicyReplayer(policy)
    const completeFrom = await context().decided(() => {
      replayer = new PolicyReplayer(policy)
      return (request) => replayer.add(request)
    })
    return ok({ complete_from: completeFrom ?? null, ...PolicyReplayer.sum([replayer]) })
  },
  'console.clock.move': ({ context, body }) => {
    moveClock(context(), body)
    return ok(readClock(context()))
  },
  'console.misbehaviours.read': async ({ context }) => ok(await listMisbehaviours(context())),
  'console.misbehaviours.on': async ({ context, body }) => {
    await switchMisbehaviourOn(context(), body)
    return ok(await listMisbehaviours(context()))
  },
  'console.misbehaviours.clear': async ({ context }) => {
    context().misbehaving.off()
    return ok(await listMisbehaviours(context()))
  },
  'console.misbehaviours.off': async ({ context, params }) => {
    context().misbehaving.off(params.name)
    return ok(await listMisbehaviours(context()))
  },
}

/** @throws {HttpError} 400 with line and column of each mistake */
const policyOf = (text: string): Policy => {
  try {
    // An empty file is the default policy.
    return parseYaml('policy', text.trim() === '' ? '{}' : text, Policy, mostForeignTokens)
  } catch (wrong) {
    if (!(wrong instanceof FlawedFile)) throw wrong
    return answerWith(400, 'invalid_policy', wrong.message)
  }
}

const refuseNotFound = (): never => answerWith(404, 'not_found', 'unknown resource')

const area = 'the approvals page'

/** Maximum number of open event streams of one tenant. */
const mostWatching = 100

const indexPage = (path: string) => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: pageHtml().replaceAll('="/console', `="${path}/console`),
})

/**
 * Links to each tenant. The page requires no sign-in, so it lists tenants only to requests on loopback,
 * which come from the same machine.
 */
const tenantsPage = (slugs: readonly string[], origin: string, path: string) =>
  plainPage({
    of: 'mock issuer',
    title: 'Approvals',
    formTargets: "'self'",
    body: markup`<h1>Approvals</h1>
<p>Each tenant has an approvals page of its own, which asks you to sign in.</p>
${isLoopback(origin) ? tenantTable(slugs, path) : tenantForm(path)}
<p class="muted"><a href="${path}/">Start page of this issuer</a></p>`,
  })

const tenantTable = (slugs: readonly string[], path: string) =>
  slugs.length === 0
    ? markup`<p>There is no tenant yet. <code>POST /_harness/tenants</code> creates one.</p>`
    : markup`<table>
${slugs.map(
  (
    slug,
  ) => markup`<tr><th scope="row"><a href="${path}/console/${encodeURIComponent(slug)}">${slug}</a></th>
<td><a href="${path}/t/${encodeURIComponent(slug)}/api/v1/.well-known/oauth-authorization-server">metadata<small> of ${slug}</small></a></td></tr>
`,
)}</table>`

const tenantForm = (path: string) => markup`<form action="${path}/console" method="get">
<p><label>Tenant <input name="tenant" required maxlength="63" autocapitalize="none" autocomplete="off" spellcheck="false"></label> <button value="allow">Open</button></p>
</form>`

const isLoopback = (origin: string) =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname)

/** Cookies are shared between ports, so each harness uses its own name. */
export const cookieName = (origin: string) =>
  `lumoauth-console-${new URL(origin).port || 'default'}`

const cookieOf = ({ headers }: HttpRequest, name: string): string | undefined =>
  parseCookie(headers.cookie ?? '')[name]

/** A user who lost the permission to approve also loses the session. */
const sessionOf = ({ tenant, sessions }: TenantContext, id: string): Session => {
  const session = sessions.find(id)
  const stillMay = session && (session.operator || mayApprove(tenant.state, session.userId ?? ''))
  return session && stillMay
    ? session
    : answerWith(401, 'signed_out', 'expected a signed-in session')
}

/** @throws {HttpError} 400, 401 or 403 for invalid credentials */
const seatOf = ({ context, session, isControlToken }: ConsoleContext, proof: SignIn) => {
  const { sessions, tenant } = context()
  if ('code' in proof) {
    return (
      sessions.redeem(proof.code) ??
      answerWith(401, 'invalid_code', 'the link is used, expired or unknown')
    )
  }
  if ('control_token' in proof) {
    if (!isControlToken(proof.control_token)) {
      answerWith(401, 'invalid_token', 'expected the control token')
    }
  } else if (!session().operator) {
    answerWith(403, 'operator_required', 'expected a sign-in with the control token')
  }
  const approver = approverNamed(tenant.state, proof.user)
  if (approver === undefined && proof.user !== undefined) {
    answerWith(400, 'invalid_request', 'user: expected an approver of this tenant')
  }
  return { userId: approver?.id, operator: true }
}

const toSignedIn = ({ tenant: { state, slug } }: TenantContext, session: Session): SignedIn => ({
  tenant: slug,
  user: session.userId === undefined ? null : personOf(state, session.userId),
  operator: session.operator,
  approvers: session.operator ? approversOf(state).map(({ id }) => personOf(state, id)) : [],
  csrf_token: session.csrfToken,
})

const viewOfDecided = ({ tenant }: TenantContext, requestId: string, userId: string) =>
  requestView(tenant, tenant.state.requests.get(requestId) as RequestRecord, userId)

/** A running clock is sent only when it was moved; a stopped clock when it has changed. */
const pulseOf = (context: TenantContext) => {
  const { clock } = context.tenant
  const now = clock.now()
  const moved = clock.running ? Math.round((now - Date.now() / 1000) / 2) : now
  const { active } = context.misbehaving
  const exchanges = context.exchanges.last
  return {
    key: JSON.stringify([moved, exchanges, active]),
    data: {
      now,
      running: clock.running,
      shift: Math.round(clock.shift),
      exchanges,
      misbehaviours: active.length,
    },
  }
}
