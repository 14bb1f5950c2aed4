import {
  askForDevice,
  denyDevice,
  deviceLifetime,
  deviceObstacle,
  findDevice,
} from '../../../issuer/oauth/devices.ts'
import { giveGrant } from '../../../issuer/oauth/grants.ts'
import type { DeviceRecord } from '../../../issuer/state.ts'
import { findUser } from '../../../issuer/tasks.ts'
import { hashSecret } from '../../../signing/secrets.ts'
import { type Handlers, ok } from '../../message.ts'
import { basePath } from '../../origin/issuer-urls.ts'
import { answerWith, HttpError } from '../../refusals.ts'
import type { TenantContext } from '../../tenant/tenant-context.ts'
import type { IssuerContext } from '../context.ts'
import { newSecret } from '../new-secret.ts'
import { newConsent, refuseForgedForm } from './authorize.ts'
import { clientOrPublic, refuseSecretsInUri } from './client-authentication.ts'
import { devicePage, problemPage, userCodePage } from './consent-page.ts'
import { redeemDevice } from './grants/authorization-code.ts'
import { failMissingField, type GrantHandler, noStore } from './token-response.ts'

/** Device authorization (RFC 8628): issues the codes, and serves the page for the user code. */
export const deviceHandlers: Handlers<
  'oauth.device.start' | 'oauth.device' | 'oauth.device.submit',
  IssuerContext
> = {
  'oauth.device.start': async ({ context, request, body }) => {
    refuseSecretsInUri(request)
    const { tenant, origins } = context
    const client = await clientOrPublic(context, request, body)
    const code = newSecret(context, 'device')
    const userCode = userCodeOf(code)
    const order = { client, codeHash: hashSecret(code), userCode, scope: body.scope }
    tenant.run(askForDevice, order)
    const page = `${origins.issuer}${basePath(tenant.slug, request.path)}/oauth/device`
    return {
      ...ok({
        device_code: code,
        user_code: userCode,
        verification_uri: page,
        verification_uri_complete: `${page}?user_code=${userCode}`,
        expires_in: deviceLifetime,
        interval: tenant.state.policy.poll_interval,
      }),
      headers: noStore,
    }
  },

  'oauth.device': ({ context, request, query }) => {
    const { user_code: userCode } = query
    if (userCode === undefined) return userCodePage()
    const { device } = deviceOf(context, userCode)
    const client = context.tenant.state.clients.get(device.clientId)
    const parameters = { user_code: device.userCode }
    return devicePage({
      clientName: client?.name ?? device.clientId,
      users: [...context.tenant.state.users.values()],
      scope: device.scope,
      userCode: device.userCode,
      ...newConsent(context, request, parameters),
      secure: context.origins.issuer.startsWith('https:'),
    })
  },

  'oauth.device.submit': ({ context, request, body }) => {
    const { tenant } = context
    const { user_code: userCode, decision, csrf, user: chosen = '' } = body
    const { device } = deviceOf(context, userCode)
    refuseForgedForm(context, request, csrf, { user_code: device.userCode })
    const { codeHash, clientId, scope } = device
    if (decision === 'deny') {
      tenant.run(denyDevice, { codeHash })
      return problemPage(200, 'You have denied it. You can close this window.', 'Denied')
    }
    const user = findUser(tenant.state, chosen) ?? failWithPage('Choose who you are.')
    tenant.run(giveGrant, { clientId, userId: user.id, scope, codeHash, redirectUri: '' })
    return problemPage(200, 'You can go back to your device.', 'Allowed')
  },
}

/** Exchanges a device code for tokens (RFC 8628 §3.5). */
export const deviceCodeGrant: GrantHandler = async (call) => {
  const { context, request, body } = call
  const { tenant } = context
  const client = await clientOrPublic(context, request, body)
  const codeHash = hashSecret(body.device_code ?? failMissingField('device_code'))
  const obstacle = deviceObstacle(tenant.state, codeHash, client, tenant.clock.now())
  return obstacle === undefined
    ? redeemDevice(call, client, codeHash)
    : answerWith(400, obstacle, obstacles[obstacle])
}

const obstacles = {
  authorization_pending: 'the person has not answered yet',
  access_denied: 'the person has denied it',
  expired_token: 'the device_code has expired',
} as const

/** Eight letters that are hard to confuse (RFC 8628 §6.1), derived from the device code. */
const userCodeOf = (secret: string): string => {
  const letters = 'BCDFGHJKLMNPQRSTVWXZ'
  const bytes = Buffer.from(hashSecret(`user code ${secret}`), 'base64url')
  const code = Array.from(bytes.subarray(0, 8), (byte) => letters[byte % letters.length]).join('')
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

const deviceOf = ({ tenant }: TenantContext, userCode: string): DeviceRecord => {
  const record = findDevice(tenant.state, userCode, tenant.clock.now())
  const isOpen =
    record !== undefined && !record.denied && !tenant.state.codes.has(record.device.codeHash)
  return isOpen ? record : failWithPage('The code is unknown, used or too old.')
}

const failWithPage = (says: string): never => {
  throw new HttpError(problemPage(400, says))
}
