import { stringifySetCookie } from 'cookie'
import type { Client, User } from '../../../issuer/event.ts'
import type { AuthorizationDetail } from '../../../wire/index.ts'
import { exactly, type Markup, markup } from '../../../wire/markup.ts'
import type { Answer } from '../../message.ts'
import { type PlainPage, plainPage } from '../../plain-page.ts'

export type Consent = Readonly<{
  client: Client
  users: readonly User[]
  /** E-mail address or id of the preselected user. */
  hint?: string | undefined
  scope: string
  details: readonly AuthorizationDetail[]
  mayAct?: string | undefined
  /** Every parameter of the request; the form sends them back. */
  parameters: readonly (readonly [string, string])[]
  csrf: string
  /** The value of the cookie; contains `csrf`. */
  cookie: string
  /** Whether the issuer's origin uses https; then the cookie is `Secure`. */
  secure: boolean
  redirectUri: string
}>

/** Asks for the user and for the decision. Has no script, so it works in every browser and in tests. */
export const consentPage = (consent: Consent): Answer =>
  page(
    200,
    'Sign in',
    markup`<h1>Sign in to allow ${consent.client.name}</h1>
<p>This is a mock: it asks for no password, and you choose which user you are. Never type a real password here.</p>
<form method="post">
${consent.parameters.map(([name, value]) => markup`<input type="hidden" name="${exactly(name)}" value="${exactly(value)}">\n`)}
<input type="hidden" name="csrf" value="${consent.csrf}">
<fieldset><legend>Who are you?</legend>
${consent.users.map((user) => choice(user, isChosen(consent, user)))}
</fieldset>
<h2>${consent.client.name} asks for</h2>
<ul>${consent.scope.split(' ').map((scope) => markup`<li><code>${scope}</code></li>`)}</ul>
${consent.details.map((it) => markup`<pre>${JSON.stringify(it, null, 2)}</pre>`)}
${consent.mayAct === undefined ? '' : markup`<p>Only <code>${consent.mayAct}</code> may act for you.</p>`}
<p>You will be sent back to <code>${consent.redirectUri}</code>.</p>
<p><button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></p>
</form>`,
    consentCookie(consent.cookie, consent.secure),
    'anywhere',
  )

const consentCookie = (value: string, secure: boolean) => ({
  'set-cookie': stringifySetCookie({
    name: csrfCookie,
    value,
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
  }),
})

/** Shows an error to the user when it must not be sent to the client. */
export const problemPage = (status: number, says: string, title = 'The request failed'): Answer =>
  page(status, title, markup`<h1>${title}</h1><p>${says}</p>`)

/** Asks for the code that a device shows (RFC 8628 §3.3). */
export const userCodePage = (): Answer =>
  page(
    200,
    'Connect a device',
    markup`<h1>Connect a device</h1>
<form method="get"><p><label>The code it shows <input name="user_code" required autocomplete="off"></label></p>
<p><button>Continue</button></p></form>`,
    {},
    "'self'",
  )

/** Who is it, and do they allow the device? The code is shown, so that it can be compared. */
export const devicePage = ({
  clientName,
  users,
  scope,
  userCode,
  csrf,
  cookie,
  secure,
}: Readonly<{
  clientName: string
  users: readonly User[]
  scope: string
  userCode: string
  csrf: string
  cookie: string
  secure: boolean
}>): Answer =>
  page(
    200,
    'Connect a device',
    markup`<h1>Allow ${clientName} on a device</h1>
<p>Only go on if the device shows <code>${userCode}</code>.</p>
<form method="post"><input type="hidden" name="user_code" value="${userCode}">
<input type="hidden" name="csrf" value="${csrf}">
<fieldset><legend>Who are you?</legend>
${users.map((user, at) => choice(user, at === 0))}
</fieldset>
<h2>${clientName} asks for</h2>
<ul>${scope.split(' ').map((it) => markup`<li><code>${it}</code></li>`)}</ul>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></p>
</form>`,
    consentCookie(cookie, secure),
    "'self'",
  )

export const signedOutPage = (): Answer =>
  page(200, 'Signed out', markup`<h1>You are signed out</h1><p>You can close this window.</p>`)

/**
 * The cookie holds the same value as the form, so that no other site can submit the form (double
 * submit), and the values of other pages that the browser has open.
 */
export const csrfCookie = 'lumoauth_consent'

const isChosen = ({ hint, users }: Consent, { id, email }: User) =>
  hint === undefined ? users[0]?.id === id : hint === id || hint === email

const choice = ({ id, name, email }: User, chosen: boolean) =>
  markup`<p><label><input type="radio" name="user" value="${exactly(id)}" required${chosen ? markup` checked` : ''}> ${name} <small>${email}</small></label></p>\n`

const page = (
  status: number,
  title: string,
  body: Markup,
  headers: Readonly<Record<string, string>> = {},
  formTargets?: PlainPage['formTargets'],
): Answer =>
  plainPage({
    of: 'mock issuer',
    status,
    title,
    body,
    headers,
    ...(formTargets === undefined ? {} : { formTargets }),
  })
