import type { AuthorizationDetail } from '../server/wire/authorization-detail.ts'
import { MalformedChallenge, readChallenge, readChallengeBody } from '../server/wire/challenge.ts'
import { isDeeper, parseJson } from '../server/wire/json.ts'
import { readText } from '../server/wire/read-text.ts'
import { LumoAuthError } from './errors.ts'

/** Runs what reads a body, with a signal that aborts when it takes too long. */
type Bounded = <T>(read: (signal: AbortSignal) => Promise<T>) => Promise<T>

/**
 * The details of a challenge, from the headers or a JSON body. The body stays readable, and is read
 * to its end when short, so that the answer can wait for an approval without its connection.
 * @returns undefined when the answer is no challenge
 * @throws {MalformedChallenge} when it is one, but not one to act on
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

/** The whole body if it is short; the response itself can still be read. */
const readBeginning = (response: Response, signal: AbortSignal): Promise<string | undefined> =>
  readText(response.clone(), longestBody, signal).catch(() => undefined)

const undefinedUnlessLate = (error: unknown): undefined => {
  if (error instanceof LumoAuthError && error.code === 'deadline_exceeded') return undefined
  throw error
}
