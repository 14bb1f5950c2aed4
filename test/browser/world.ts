import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { createHarness, type HarnessOptions, type TenantCreated } from '../../server/index.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why there is no browser to test with; undefined when there is one. */
export const noBrowser = existsSync(executablePath)
  ? undefined
  : `there is no ${executablePath}; install chromium or set CHROMIUM`

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'],
  })

export const ada = { email: 'ada@example.com', name: 'Ada Approver', permissions: ['jit.approve'] }
export const grace = {
  email: 'grace@example.com',
  name: 'Grace Controller',
  permissions: ['jit.approve'],
}
export const alice = { email: 'alice@example.com', name: 'Alice Analyst' }

type Seed = NonNullable<HarnessOptions['tenants']>[number]

/** A listening harness with one tenant, an HTTP agent, and sign-in links. */
export const createWorld = async (seed: Seed = {}, options: HarnessOptions = {}) => {
  const harness = await createHarness({
    ...options,
    tenants: [{ tenant: 'acme', users: [ada, grace, alice], ...seed }],
  })
  const tenant = harness.tenants[0] as TenantCreated

  const control = async (path: string, body?: unknown) => {
    const response = await fetch(`${harness.issuer}/_harness/tenants/acme/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${harness.controlToken}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return (await response.json()) as Json
  }

  return {
    harness,
    tenant,
    control,
    agent: (name?: string) => signedInAgent(tenant, name),
    /** Opens the page, signed in as this user by a link that works once. */
    enter: async (browser: Browser, person: { email: string }, more: Entry = {}) => {
      const { url } = await control('console-link', { user: person.email, operator: more.operator })
      const context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        ...more.context,
      })
      context.setDefaultTimeout(10_000)
      const page = await context.newPage()
      const complaints = listenForComplaints(page)
      await page.goto(more.origin ? url.replace(harness.issuer, more.origin) : url)
      await page.getByRole('link', { name: /^Inbox/ }).waitFor()
      await page.locator('.live:not(.lost)[aria-label=Live]').waitFor()
      return { page, complaints, context }
    },
    [Symbol.asyncDispose]: () => harness.close(),
  }
}

type Entry = Readonly<{ operator?: boolean; origin?: string; context?: BrowserContextOptions }>

/** Everything a browser reports: script errors, and violations of the content security policy. */
const listenForComplaints = (page: Page): string[] => {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text())
  })
  return complaints
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Json = any

/** An agent like any other client: everything over HTTP. */
const signedInAgent = async ({ urls, agents }: TenantCreated, name = agents[0]?.name) => {
  const credentials = agents.find((it) => it.name === name)
  const granted = await fetch(`${urls.tenant}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: credentials?.client_id ?? '',
      client_secret: credentials?.client_secret ?? '',
    }),
  })
  const { access_token: token } = (await granted.json()) as Json
  const call = async (method: string, url: string, body?: unknown, bearer = token) => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Json }
  }
  const jit = (method: string, path: string, body?: unknown) =>
    call(method, `${urls.tenant}/jit/${path}`, body)
  return {
    openTask: async (task: object) => (await jit('POST', 'task', task)).body.task_id as string,
    ask: async (taskId: string, detail: object, more: object = {}) =>
      (await jit('POST', 'request', { task_id: taskId, authorization_details: detail, ...more }))
        .body,
    status: async (requestId: string) => (await jit('GET', `request/${requestId}/status`)).body,
    token: async (requestId: string) =>
      (await jit('POST', `request/${requestId}/token`)).body.access_token as string,
    complete: (taskId: string) => jit('POST', `task/${taskId}/complete`),
    read: (document: string, bearer?: string) =>
      call('GET', `${urls.api}/v1/documents/${document}`, undefined, bearer),
  }
}
