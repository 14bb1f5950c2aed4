import { ForgeToken } from '../../../server/wire/index.ts'
import { SkipScenario } from '../../language/target.ts'

/** Replaces the control plane where there is none. */
export type ControlSubstitute = Readonly<{
  /** The token of a user by the e-mail in the scenario; undefined: of an approver. */
  tokenOf: (user: string | undefined) => string | undefined
  forge: (order: ForgeToken) => Promise<string>
  script: (script: unknown) => void
}>

/**
 * The part of the control plane that works from outside: given tokens, forged tokens, an approver
 * with a token. Every other request skips the scenario.
 */
export const substituteControl =
  ({ tokenOf, forge, script }: ControlSubstitute): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const path = new URL(request.url).pathname
    const text = await request.text()
    const body: unknown = text === '' ? {} : JSON.parse(text)
    if (path.endsWith('/user-token')) {
      const { user } = body as { user?: string }
      const token = tokenOf(user) ?? skipUnknownPerson(user)
      return tokenResponse(token)
    }
    if (path.endsWith('/forged-token')) return tokenResponse(await forge(ForgeToken.parse(body)))
    if (path.endsWith('/approver')) {
      script(body)
      return Response.json(body)
    }
    throw new SkipScenario('the target has no control plane')
  }

const tokenResponse = (access_token: string) =>
  Response.json({ access_token, token_type: 'Bearer', expires_in: 3600 }, { status: 201 })

const skipUnknownPerson = (user: string | undefined): never => {
  throw new SkipScenario(`the target has no token for ${user ?? 'an approver'}`)
}
