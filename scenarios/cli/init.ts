import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { usualConfig } from '../../server/start/usual-config.ts'
import { UsageError } from '../../server/usage-error.ts'
import type { InitOptions } from './commands/init.ts'
import { schemaFile } from './find-scenarios.ts'

/** `lumoauth-harness init`. @returns the exit code */
export const init = async ({ agent, force }: InitOptions): Promise<number> => {
  if (existsSync(usualConfig) && !force) {
    throw new UsageError(`${usualConfig} is there already; --force writes over it`)
  }
  const scripts = {
    lumoauth: `lumoauth-harness start --dotenv ${dotenv}`,
    'lumoauth:check': `lumoauth-harness check agent -- ${agent}`,
  }
  const manifest = await readManifest()
  await writeFile(usualConfig, draftConfig())
  const wrote = [usualConfig]
  if (manifest !== undefined) {
    const { value, text } = manifest
    const all = { ...value, scripts: { ...scripts, ...value.scripts } }
    const indent = /^[ \t]+/m.exec(text)?.[0] ?? '  '
    await writeFile('package.json', `${JSON.stringify(all, null, indent)}\n`)
    wrote.push('the scripts lumoauth and lumoauth:check in package.json')
  }
  if (await addToGitignore()) wrote.push(`${dotenv} in .gitignore`)
  const [start, check] =
    manifest === undefined
      ? [`npm exec --no -- ${scripts.lumoauth}`, `npm exec --no -- ${scripts['lumoauth:check']}`]
      : ['npm run lumoauth', 'npm run lumoauth:check']
  process.stdout.write(`wrote ${wrote.join(', ')}

${start}
    starts issuer, API and approvals page, and writes the environment to ${dotenv}
${check}
    runs your agent and judges what it requests and uses
`)
  return 0
}

const dotenv = '.env.lumoauth'

type Manifest = Readonly<{ scripts?: Readonly<Record<string, string>> }>

const readManifest = async (): Promise<{ value: Manifest; text: string } | undefined> => {
  if (!existsSync('package.json')) return undefined
  const text = await readFile('package.json', 'utf8')
  try {
    return { value: JSON.parse(text) as Manifest, text }
  } catch {
    throw new UsageError('package.json: expected JSON')
  }
}

/** @returns whether it was added */
const addToGitignore = async (): Promise<boolean> => {
  if (!existsSync('.gitignore')) return false
  const text = await readFile('.gitignore', 'utf8')
  if (text.split('\n').includes(dotenv)) return false
  const separator = text === '' || text.endsWith('\n') ? '' : '\n'
  await writeFile('.gitignore', `${text}${separator}${dotenv}\n`)
  return true
}

const draftConfig = () => `# yaml-language-server: $schema=${schemaFile('tenants.schema.json')}
# The tenants of lumoauth-harness start. What is left out has a default; saving this file is enough.
tenants:
  - tenant: acme-corp
    agents:
      - { name: report-bot, capabilities: [read:documents, write:reports] }
    users:
      - { email: approver@example.com, name: Ada Approver, permissions: [jit.approve] }
    documents:
      - { id: doc_9982, title: Q4 revenue, classification: confidential, body: Revenue rose 12 %. }
    # Without an approver you decide, on the approvals page that start prints.
    # approver: { decision: approve, after_polls: 2 }
    # misbehave: [{ name: network-unavailable, times: 2 }]
`
