import { ForgeToken } from '../../../server/wire/index.ts'
import { Unable } from '../../language/target.ts'

/** What stands in for the control plane where there is none. */
export type Stagehand = Readonly<{
  /** The token of a person by the e-mail the scenario knows; undefined: who may approve. */
  tokenOf: (user: string | undefined) => string | undefined
  forge: (order: ForgeToken) => Promise<string>
  script: (script: unknown) => void
}>

/**
 * What of the control plane can be had from outside: the tokens somebody gave us, forgeries, an
 * approver by their token. Everything else is impossible, and says so.
 */
export const standIn =
  ({ tokenOf, forge, script }: Stagehand): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const path = new URL(request.url).pathname
    const text = await request.text()
    const body: unknown = text === '' ? {} : JSON.parse(text)
    if (path.endsWith('/user-token')) {
      const { user } = body as { user?: string }
      const token = tokenOf(user) ?? nobody(user)
      return minted(token)
    }
    if (path.endsWith('/forged-token')) return minted(await forge(ForgeToken.parse(body)))
    if (path.endsWith('/approver')) {
      script(body)
      return Response.json(body)
    }
    throw new Unable('the target has no control plane')
  }

const minted = (access_token: string) =>
  Response.json({ access_token, token_type: 'Bearer', expires_in: 3600 }, { status: 201 })

const nobody = (user: string | undefined): never => {
  throw new Unable(
    `nobody plays ${user ?? 'the approver'}: the target has no token of such a person`,
  )
}
