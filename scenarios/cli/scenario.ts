import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../../server/usage-error.ts'
import { suiteFolder } from './find-scenarios.ts'
import { writeWholeFile } from './write-file.ts'

/** `lumoauth-harness scenario new`. @returns the exit code */
export const createScenario = async (name: string): Promise<number> => {
  const file = /\.ya?ml$/.test(name) ? resolve(name) : join(suiteFolder(), `${name}.yaml`)
  if (existsSync(file)) throw new UsageError(`${relative(process.cwd(), file)} exists`)
  await writeWholeFile(file, draftScenario(file))
  process.stdout.write(`wrote ${relative(process.cwd(), file)}\n`)
  return 0
}

const draftScenario = (file: string): string => {
  const schema = relative(dirname(file), join(suiteFolder(), '..', 'scenario.schema.json'))
  const words = basename(file)
    .replace(/\.ya?ml$/, '')
    .replaceAll('-', ' ')
  const title = words.charAt(0).toUpperCase() + words.slice(1)
  return `# yaml-language-server: $schema=${schema}
scenario: ${title.padEnd(10, '.')}
tags: [draft]
given:
  documents:
    - { id: doc_1, title: A document, classification: confidential, body: Some text. }
steps:
  - open_task: { name: ${title} }
  - call: GET /v1/documents/doc_1
    expect: { status: 403, challenge: { type: file_access } }
    save: { needed: challenge }
  - request_permission: { details: $needed, justification: To show it }
    expect: { status: approved }
  - get_token: {}
  - call: GET /v1/documents/doc_1
    with: jit
    expect: { status: 200 }
  - complete_task: {}
`
}
