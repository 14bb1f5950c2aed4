import { deviceCodeGrantType, identityScopes } from '../../wire/index.ts'
import type { Decide } from '../decide.ts'
import type { Client, Device, EventOf } from '../event.ts'
import { refuse } from '../refusal.ts'
import type { DeviceRecord, State } from '../state.ts'
import { mayUse, refuseBeyondSelfRegistered } from './clients.ts'
import { grantedScope } from './tokens.ts'

/** Lifetime of a device code and its user code, in seconds. */
export const deviceLifetime = 600

/** Starts a device authorization: a person enters the user code in a browser (RFC 8628 §3.1). */
export const askForDevice: Decide<
  Readonly<{ client: Client; codeHash: string; userCode: string; scope?: string | undefined }>,
  readonly [EventOf<'device.asked'>]
> = (state, { client, codeHash, userCode, scope }, { now }) => {
  mayUse(state, client, deviceCodeGrantType)
  const { clientId } = client
  refuseBeyondSelfRegistered(state, 'grants', client, devicesOf(state))
  const limit = state.policy.limits.devices_per_client
  if (countWaiting(state, clientId, now) >= limit) {
    refuse({ error: 'limit_reached', what: 'waiting device codes of one client', limit })
  }
  const device: Device = {
    codeHash,
    userCode,
    clientId,
    scope: grantedScope([...client.capabilities, ...identityScopes], scope ?? 'openid'),
    expiresAt: now + deviceLifetime,
  }
  return [{ type: 'device.asked', device }]
}

export const denyDevice: Decide<
  Readonly<{ codeHash: string }>,
  readonly [EventOf<'device.denied'>]
> = (_state, { codeHash }) => [{ type: 'device.denied', codeHash }]

/** The pending device of a user code. Case, spaces and hyphens of the code are ignored. */
export const findDevice = (
  { devices }: State,
  userCode: string,
  now: number,
): DeviceRecord | undefined => {
  const plain = (code: string) => code.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return [...devices.values()].find(
    ({ device }) => plain(device.userCode) === plain(userCode) && now < device.expiresAt,
  )
}

/**
 * The error code of the token endpoint for a device (RFC 8628 §3.5). Undefined when a person has allowed it.
 * @throws {Refused} `invalid_grant` for a code that is unknown, or of another client
 */
export const deviceObstacle = (
  state: State,
  codeHash: string,
  { clientId }: Client,
  now: number,
): 'authorization_pending' | 'access_denied' | 'expired_token' | undefined => {
  const record = state.devices.get(codeHash)
  if (record === undefined || record.device.clientId !== clientId) {
    return refuse({ error: 'invalid_grant', reason: 'device_code: unknown, or of another client' })
  }
  if (record.denied) return 'access_denied'
  if (state.codes.has(codeHash)) return undefined
  return now < record.device.expiresAt ? 'authorization_pending' : 'expired_token'
}

const countWaiting = ({ devices, codes }: State, clientId: string, now: number): number => {
  let count = 0
  for (const { device, denied } of devices.values()) {
    const isWaiting = !denied && now < device.expiresAt && !codes.has(device.codeHash)
    if (device.clientId === clientId && isWaiting) count += 1
  }
  return count
}

function* devicesOf({ devices }: State): Generator<Device> {
  for (const { device } of devices.values()) yield device
}
