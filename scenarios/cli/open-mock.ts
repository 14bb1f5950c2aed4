import { UsageError } from '../../server/usage-error.ts'
import type { Target } from '../language/target.ts'
import type { Host } from '../targets/mock/hosts.ts'
import { mock } from '../targets/mock/mock.ts'
import { remoteTarget } from '../targets/mock/remote.ts'

/** The mock under a host. @throws {UsageError} if the host is msw, which is not installed */
export const openMock = async (host: Host): Promise<Target> => {
  try {
    return await mock(host)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !/'msw(\/\w+)?'/.test(message)) throw error
    throw new UsageError('the host msw needs the package msw: npm install --save-dev msw')
  }
}

/** A running harness, by the origin of its issuer; the environment holds its control token. */
export const harnessAt = async (origin: string): Promise<Target> => {
  const { LUMOAUTH_HARNESS_CONTROL_TOKEN: token = '' } = process.env
  if (token === '')
    throw new UsageError(`LUMOAUTH_HARNESS_CONTROL_TOKEN is not set: ${controlTokenHint}`)
  // With a valid token the answer is 404 for this unknown tenant.
  const { status } = await fetch(`${origin}/_harness/tenants/unknown-tenant/clock`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  }).catch(({ cause, message }) => {
    throw new UsageError(`no harness answers at ${origin}: ${cause?.code ?? message}`)
  })
  if (status === 401)
    throw new UsageError(`${origin} refuses LUMOAUTH_HARNESS_CONTROL_TOKEN: ${controlTokenHint}`)
  if (status !== 404) throw new UsageError(`no harness answers at ${origin}: status ${status}`)
  return remoteTarget(origin, token)
}

const controlTokenHint = 'set it to the control token that start printed'
