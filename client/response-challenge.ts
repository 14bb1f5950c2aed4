import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import { MalformedChallenge, readChallenge, readChallengeBody } from '../server/wire/challenge.ts'
import { cloneMessage } from '../server/wire/clone-message.ts'
import { isDeeper, parseJson } from '../server/wire/json.ts'
import { readText } from '../server/wire/read-text.ts'
import { LumoAuthError } from './errors.ts'

/** Runs a function that reads a body, with a signal that aborts after a timeout. */
type Bounded = <T>(read: (signal: AbortSignal) => Promise<T>) => Promise<T>

/**
 * Reads the details of a challenge from the headers or a JSON body. The body stays readable. A short
 * body is read to its end, so that no connection stays open while an approval is pending.
 * @returns undefined when the answer has no challenge
 * @throws {MalformedChallenge} when the challenge cannot be parsed
 */
export const readResponseChallenge = async (
  response: Response,
  bounded: Bounded,
): Promise<readonly AuthorizationDetail[] | undefined> => {
  if (response.status !== 401 && response.status !== 403) return undefined
  const named = readChallenge(response.status, response.headers)
  const inBody = named === undefined && response.status === 403 && isJson(response)
  if (named === undefined && !inBody) return undefined
  const body = await bounded((signal) => readBeginning(response, signal)).catch(undefinedUnlessLate)
  const details = named ?? readChallengeBody(body === undefined ? undefined : parseJson(body))
  if (details?.some((detail) => isDeeper(detail, deepestDetail))) {
    throw new MalformedChallenge(`the challenge is nested deeper than ${deepestDetail} levels`)
  }
  return details
}

const longestBody = 64 * 1024
const deepestDetail = 16

const isJson = (response: Response): boolean =>
  /^application\/(?:[\w.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')

/** The whole body if it is short. The response itself can still be read. */
const readBeginning = (response: Response, signal: AbortSignal): Promise<string | undefined> =>
  readText(cloneMessage(response), longestBody, signal).catch(() => undefined)

const undefinedUnlessLate = (error: unknown): undefined => {
  if (error instanceof LumoAuthError && error.code === 'deadline_exceeded') return undefined
  throw error
}
