import type { z } from 'zod'
import { didYouMean } from '../../../server/wire/closest.ts'
import { checkSchema } from '../../language/schema-mistakes.ts'
import type { Credentials } from '../../language/session.ts'
import { type Position, readSource } from '../../language/source.ts'
import { TargetFile, variablesOf } from './target-file.ts'

export type AgentAccess = Credentials &
  Readonly<{
    scope?: string | undefined
    resource?: string | undefined
    capabilities?: readonly string[] | undefined
    may_delegate?: boolean | undefined
  }>

export type PersonAccess = Readonly<{
  email: string
  token: string
  permissions: readonly string[]
}>

export type ClientSecret = Readonly<{ client_id: string; client_secret: string }>

/** A target with its secrets. */
export type Access = Readonly<{
  file: TargetFile
  agents: readonly AgentAccess[]
  users: readonly PersonAccess[]
  apiClient: ClientSecret | undefined
  elsewhere:
    | Readonly<{ tenant: string; agents: readonly AgentAccess[]; apiClient: ClientSecret }>
    | undefined
}>

type Problem = Readonly<{ at: Position; message: string }>

/** Reads a target file. Reports all errors, with their positions. */
export const readTarget = (
  name: string,
  text: string,
): Readonly<{ file?: TargetFile; problems: readonly Problem[] }> => {
  const source = readSource(name, text)
  if (source.problems.length > 0) return { problems: source.problems }
  const problems: Problem[] = []
  checkSchema(
    TargetFile,
    source.value,
    [],
    (message, path, { part = 'value', unknownKey } = {}) => {
      problems.push({
        at: source.locate(path, part),
        message:
          unknownKey !== undefined && secretKeys.includes(unknownKey)
            ? `secrets are not allowed in this file; ${unknownKey}_env names the environment variable of the secret`
            : message,
      })
    },
  )
  if (problems.length === 0) {
    for (const [index, { requires }] of (
      TargetFile.parse(source.value).api.routes ?? []
    ).entries()) {
      for (const key of Object.keys(requires)) {
        const hint = detailKeys.includes(key) ? '' : didYouMean(key, detailKeys)
        if (hint === '') continue
        const at = source.locate(['api', 'routes', index, 'requires', key], 'key')
        problems.push({ at, message: `unknown key "${key}"${hint}` })
      }
    }
  }
  const inOrder = problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
  if (inOrder.length > 0) return { problems: inOrder }
  return { file: TargetFile.parse(source.value), problems: [] }
}

/** The members of a detail (RFC 9396 §2.2); a type may add others, which resemble none of these. */
const detailKeys = ['type', 'actions', 'locations', 'datatypes', 'identifier', 'privileges']

const secretKeys = ['client_secret', 'token', 'password']

/** Variables that are not set, or are empty. */
export const missingVariables = (
  file: TargetFile,
  env: Readonly<Record<string, string | undefined>>,
): string[] => [...new Set(variablesOf(file))].filter((name) => !env[name])

/** The target with the values of its variables. */
export const accessOf = (
  file: TargetFile,
  env: Readonly<Record<string, string | undefined>>,
): Access => {
  const heldBy = (name: string | undefined) => (name === undefined ? '' : (env[name] ?? ''))
  const client = (it: ClientAccess) => ({
    client_id: it.client_id ?? heldBy(it.client_id_env),
    client_secret: heldBy(it.client_secret_env),
  })
  const agent = (it: ClientAccess & Pick<AgentAccess, 'name'>): AgentAccess => {
    const { client_id_env: _, client_secret_env: __, ...rest } = it
    return { agent_id: '', ...rest, ...client(it) }
  }
  const { agents = [], users, api_client, elsewhere } = file
  return {
    file,
    agents: agents.map(agent),
    users: users.map(({ email, permissions, token_env }) => ({
      email,
      permissions,
      token: heldBy(token_env),
    })),
    apiClient: api_client === undefined ? undefined : client(api_client),
    elsewhere:
      elsewhere === undefined
        ? undefined
        : {
            tenant: elsewhere.tenant,
            agents: elsewhere.agents.map(agent),
            apiClient: client(elsewhere.api_client ?? (elsewhere.agents[0] as ClientAccess)),
          },
  }
}

type ClientAccess = NonNullable<z.output<typeof TargetFile>['api_client']>
