import { actions } from '../language/actions.ts'
import { summarizeAnswer } from '../language/answer.ts'
import { basic } from '../language/basic-auth.ts'
import { isObject } from '../language/match.ts'
import { failExpectation, type StepContext } from '../language/step-context.ts'

/** The Authorization header for the credentials of a step. */
export const authorization = async (
  by: string,
  context: StepContext,
): Promise<Record<string, string>> => {
  const { session, agent } = context
  switch (by) {
    case 'none':
      return {}
    case 'client':
      return { authorization: basic(agent) }
    case 'api_client':
      return session.apiClient === undefined
        ? failExpectation('the target has no client for the API')
        : { authorization: basic(session.apiClient) }
    case 'control':
      return session.controlToken === undefined
        ? {}
        : { authorization: `Bearer ${session.controlToken}` }
    default:
      return { authorization: `Bearer ${await context.token(by)}` }
  }
}

/** Requests the agent's own token. */
export const signIn = async (context: StepContext): Promise<string> => {
  const { answer } = await actions.authenticate.run({}, context)
  return (
    context.me.token ??
    failExpectation(
      `the agent could not authenticate: ${answer === undefined ? 'no answer' : summarizeAnswer(answer)}`,
    )
  )
}

/** Minted once per tenant and user, or provided by a target that cannot mint. */
export const userToken = (
  context: StepContext,
  place: string,
  kept: Map<string, Promise<string>>,
): Promise<string> => {
  const { session, user } = context
  const email = user ?? session.users.find((it) => it.permissions.includes('jit.approve'))?.email
  const given = email === undefined ? undefined : session.userTokens?.[email]
  if (given !== undefined) return Promise.resolve(given)
  const key = `${place}/${email}`
  const minted = kept.get(key) ?? mintUserToken(email, context)
  kept.set(key, minted)
  return minted
}

const mintUserToken = async (user: string | undefined, context: StepContext): Promise<string> => {
  const { body } = await context.send('control', {
    method: 'POST',
    path: '/user-token',
    json: user === undefined ? {} : { user },
    by: 'control',
  })
  return isObject(body) && typeof body.access_token === 'string'
    ? body.access_token
    : failExpectation('the target has no token of this user')
}
