import { parseCookie, stringifySetCookie } from 'cookie'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { z } from 'zod'
import type { Sessions } from '../../server/console/sessions.ts'
import { pageHeaders } from '../../server/http/hosts/page-headers.ts'
import { isLoopbackName } from '../../server/http/origin/same-origin.ts'
import type { Contract } from '../../server/wire/contract.ts'
import type { Misbehaviours } from '../../server/wire/index.ts'
import type { Loaded, Problem } from '../language/load.ts'
import { wordOf } from '../language/steps.ts'
import { html } from '../reports/html.ts'
import type { Rule } from '../runner/rules.ts'
import { countsOf } from '../runner/verdict.ts'
import { pageText, serveAssets } from './assets.ts'
import { complete } from './complete.ts'
import type { Events } from './events.ts'
import { itemOf } from './item.ts'
import type { Runs } from './runs.ts'
import { tourText } from './tour.ts'
import { viewOf } from './view.ts'
import { EditConflict, NotAllowed, type Workspace } from './workspace.ts'

/** What the page shows and does. */
export type AppParts = Readonly<{
  workspace: Workspace
  runs: Runs
  events: Events
  /** Of one-time links and of the browsers that opened one. */
  sessions: Sessions
  rules: ReadonlyMap<string, Rule>
  /** The paragraphs that rules name as their source. */
  contract: Contract
  misbehaviours: Misbehaviours['known']
  /** The ids of the scenarios that run again when their files change; all tabs share them. */
  watched: Set<string>
  /** Resolves when the workspace has read its files. */
  loaded: Promise<void>
  /** Called when `watched` has changed. */
  onWatch: (ids: readonly string[]) => void
}>

const cookieName = 'lumoauth-scenarios'

const Text = z.string().max(256 * 1024)
const Ids = z.array(z.string()).min(1).max(20_000)
const Bodies = {
  session: z.strictObject({ code: z.string().max(100) }),
  check: z.strictObject({ text: Text }),
  complete: z.strictObject({ text: Text, caret: z.int().min(0) }),
  save: z.strictObject({ text: Text, version: z.string() }),
  run: z.strictObject({
    ids: Ids,
    text: Text.optional(),
    misbehaviours: z.array(z.string()).max(20).default([]),
  }),
  stop: z.strictObject({ run: z.int().optional() }),
  watch: z.strictObject({ ids: Ids, on: z.boolean() }),
}

/** The page for the suite, as an Express app: for loopback, and for browsers that opened a one-time link. */
export const createUiApp = (parts: AppParts): Express => {
  const { workspace, runs, events, sessions, rules, contract, misbehaviours, watched, onWatch } =
    parts
  const app = express().disable('x-powered-by').disable('etag')
  app.use(pageHeaders, refuseForeignHost)
  app.use('/_page', serveAssets())
  app.get('/', (_request, response) => void response.type('html').send(pageText()))

  const api = express.Router()
  api.use((_request, response, next) => {
    response.set('cache-control', 'no-store')
    next()
  })
  api.use(refuseForeignOrigin)
  api.use(express.json({ limit: '1mb' }))

  api.post('/session', (request, response) => {
    const { code } = Bodies.session.parse(request.body)
    const seat = sessions.redeem(code)
    if (seat === undefined) throw new Refused(401, 'the link is used, expired or unknown')
    const { id, lifetime } = sessions.open(seat)
    const cookie = {
      name: `${cookieName}-${request.socket.localPort}`,
      value: id,
      path: '/',
      maxAge: lifetime,
      httpOnly: true,
      sameSite: 'strict',
    } as const
    response.set('set-cookie', stringifySetCookie(cookie)).json({})
  })

  const signedIn = (request: express.Request) => {
    const name = `${cookieName}-${request.socket.localPort}`
    const session = sessions.find(parseCookie(request.get('cookie') ?? '')[name] ?? '')
    if (session === undefined) throw new Refused(401, 'expected a browser that opened the link')
    return session
  }
  api.use((request, _response, next) => {
    const { csrfToken } = signedIn(request)
    if (request.method !== 'GET' && request.get('x-csrf-token') !== csrfToken) {
      throw new Refused(403, 'expected the X-CSRF-Token of this session')
    }
    next()
  })

  const item = (entry: ReturnType<Workspace['find']>) => itemOf(entry, runs, watched)
  const seenOf = (id: string, part: number) => {
    const record = runs.record(id)
    return record?.results[part] ?? record?.soFar[part]?.()
  }

  api.get('/session', (request, response) => {
    response.json({ csrf_token: signedIn(request).csrfToken })
  })
  api.get('/events', events.stream)
  api.get('/news', events.news)
  api.get('/state', async (_request, response) => {
    await parts.loaded
    response.json({
      items: workspace.entries.map(item),
      runs: runs.states,
      misbehaviours,
      folder: process.cwd(),
    })
  })

  api.get('/scenarios/:id', async (request, response) => {
    const { id } = request.params
    const { text, version } = await workspace.text(id)
    const entry = workspace.find(id)
    response.json({ text, version, locked: entry.locked ?? null, tour: tourText(entry, text) })
  })
  api.put('/scenarios/:id', async (request, response) => {
    const { text, version } = Bodies.save.parse(request.body)
    const entry = await workspace.save(request.params.id, text, version)
    events.push({ kind: 'items', items: [item(entry)] })
    if (watched.has(entry.id) && entry.scenario !== undefined) {
      runs.start([{ id: entry.id, scenario: entry.scenario }], plain)
    }
    response.json({ version: entry.version })
  })
  api.post('/scenarios/:id/check', (request, response) => {
    const { text } = Bodies.check.parse(request.body)
    const { problems, scenario } = workspace.check(request.params.id, text)
    response.json({ problems: [...problems, ...ofRules(scenario, rules)].map(problemView) })
  })
  api.post('/scenarios/:id/complete', (request, response) => {
    const { text, caret } = Bodies.complete.parse(request.body)
    const says = new Map([...rules].map(([id, rule]) => [id, rule.says]))
    response.json(complete(text, caret, says))
  })
  api.get('/scenarios/:id/view', (request, response) => {
    const { id } = request.params
    const entry = workspace.find(id)
    const part = Number(request.query.part ?? 0)
    const seen = seenOf(id, part)
    // A scenario that has just begun has no step to show yet.
    if (seen === undefined) return void response.type('html').send('<!doctype html>')
    const isGoing = runs.record(id)?.results[part] === undefined
    const next = entry.scenario?.steps[seen.steps.filter(isOutermost).length]
    response
      .type('html')
      .send(
        viewOf(
          seen,
          id,
          { rules, contract },
          isGoing && next !== undefined ? wordOf(next) : undefined,
        ),
      )
  })

  api.post('/runs', (request, response) => {
    const { ids, text, misbehaviours: names } = Bodies.run.parse(request.body)
    const unknown = names.find((name) => !misbehaviours.some((it) => it.name === name))
    if (unknown !== undefined) throw new Refused(400, `there is no misbehaviour ${unknown}`)
    const [first = ''] = ids
    if (text !== undefined) {
      const { scenario, problems } = workspace.check(first, text)
      if (scenario === undefined) {
        throw new Refused(422, 'the text has mistakes', { problems: problems.map(problemView) })
      }
      const how = { unsaved: true, misbehaviours: names }
      return void response.json({ run: runs.start([{ id: first, scenario }], how), broken: 0 })
    }
    const entries = ids.map((id) => workspace.find(id))
    const ordered = entries.flatMap(({ id, scenario }) =>
      scenario === undefined ? [] : [{ id, scenario }],
    )
    if (ordered.length === 0) throw new Refused(422, 'the file has mistakes')
    const how = { unsaved: false, misbehaviours: names }
    const broken = entries.length - ordered.length
    return void response.json({ run: runs.start(ordered, how), broken })
  })
  api.delete('/runs{/:run}', (request, response) => {
    runs.stop(request.params.run === undefined ? undefined : Number(request.params.run))
    response.json({})
  })
  api.post('/watch', (request, response) => {
    const { ids, on } = Bodies.watch.parse(request.body)
    for (const id of ids) {
      if (on) watched.add(workspace.find(id).id)
      else watched.delete(id)
    }
    onWatch(ids)
    response.json({})
  })
  api.get('/report.html', (_request, response) => {
    const reported = runs.reported(workspace.entries.map(({ id }) => id))
    if (countsOf(reported.flatMap(({ results }) => results)).total === 0) {
      throw new Refused(404, 'nothing has been run yet')
    }
    response
      .attachment('scenarios.html')
      .send(html(reported, { rules: [...rules.values()], contract }))
  })
  api.use(() => {
    throw new Refused(404, 'unknown resource')
  })
  api.use(answerError)
  app.use('/api', api)
  app.use((_request, response) => void response.status(404).type('text').send('not found\n'))
  app.use(answerError)
  return app
}

const plain = { unsaved: false, misbehaviours: [] }

const isOutermost = ({ step }: Readonly<{ step: string }>) => !step.includes('.')

const problemView = ({ at: { line, column }, message, severity }: Problem) => ({
  line,
  column,
  message,
  severity,
})

/** Rules that a scenario names and the catalogue does not have. */
const ofRules = (
  scenario: Loaded | undefined,
  rules: ReadonlyMap<string, Rule>,
): readonly Problem[] =>
  (scenario?.covers ?? []).flatMap((id, index) =>
    scenario === undefined || rules.has(id)
      ? []
      : [
          {
            at: scenario.source.locate(['covers', index]),
            message: `there is no rule ${id}`,
            severity: 'warning' as const,
          },
        ],
  )

/** An answer other than success. */
class Refused extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  constructor(status: number, message: string, body: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.body = body
  }
}

/** Another name that resolves to this machine is DNS rebinding. */
const refuseForeignHost: RequestHandler = (request, _response, next) => {
  if (!isLoopbackName(request.get('host') ?? '')) {
    throw new Refused(403, 'this page does not accept this Host')
  }
  next()
}

/** A page of another site sends its own `Origin`; only GET requests of our page have none. */
const refuseForeignOrigin: RequestHandler = (request, _response, next) => {
  const origin = request.get('origin')
  const isOurs = origin === `http://${request.get('host')}`
  if (!isOurs && (origin !== undefined || request.method !== 'GET')) {
    throw new Refused(403, 'this page does not accept this Origin')
  }
  next()
}

const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const { status, error: code, body } = refusalOf(error)
  if (status === 500) console.error('lumoauth-harness: bug in the page for the suite:', error)
  const message = status === 500 ? 'internal error; see the terminal' : error.message
  response.status(status).json({ error: code, error_description: message, ...body })
}

const refusalOf = (error: Error & { status?: number }) => {
  if (error instanceof EditConflict) {
    const { text, version } = error
    return { status: 409, error: 'edit_conflict', body: { text, version } }
  }
  if (error instanceof NotAllowed) return { status: 404, error: 'not_found', body: {} }
  if (error instanceof z.ZodError) {
    error.message = z.prettifyError(error)
    return { status: 400, error: 'invalid_request', body: {} }
  }
  if (error instanceof Refused) {
    return { status: error.status, error: 'refused', body: error.body }
  }
  const { status = 500 } = error
  return { status: status < 500 ? status : 500, error: 'invalid_request', body: {} }
}
