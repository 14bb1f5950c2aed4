import { readFileSync } from 'node:fs'
import { packageRoot } from '../package-root.ts'
import { hashSecret } from '../signing/secrets.ts'
import { ModelScript } from '../wire/index.ts'
import { parseYaml } from '../wire/yaml-source.ts'
import type { ConversationLog } from './conversations.ts'

/** The model of one tenant. Without its own script it uses the default script. */
export type ScriptedModel = {
  readonly key: string
  script: ModelScript | undefined
  readonly conversations: ConversationLog
}

/**
 * The API key of a tenant's model. It contains the tenant's name, and stays the same as long as the
 * tenant's secrets do.
 */
export const modelKeyOf = (slug: string, secret: string): string =>
  `sk-${slug}-${Buffer.from(hashSecret(`model ${secret}`), 'base64url')
    .toString('hex')
    .slice(0, 32)}`

let loadedScript: ModelScript | undefined

/** The default script. */
export const usualScript = (): ModelScript => {
  const file = new URL('server/model/usual-script.yaml', packageRoot)
  loadedScript ??= parseYaml(file.pathname, readFileSync(file, 'utf8'), ModelScript)
  return loadedScript
}
