import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { ModelScript, TenantSeed } from '../../../server/wire/index.ts'
import { parseYaml } from '../../../server/wire/yaml-source.ts'

const examples = new URL('../../../client/examples/', import.meta.url)
const text = (name: string) => readFile(new URL(name, examples), 'utf8')

it('the model script in the README is valid', async () => {
  const [, script = ''] = /```yaml\n(.*?)```/s.exec(await text('README.md')) ?? []

  expect(parseYaml('README.md', script, ModelScript).replies).toHaveLength(3)
})

it('the configuration with a restricted document is valid', async () => {
  const { documents, approver } = parseYaml(
    'restricted.yaml',
    await text('crewai/restricted.yaml'),
    TenantSeed,
  )

  expect(documents).toMatchObject([{ id: 'doc_9982', classification: 'restricted' }])
  expect(approver).toMatchObject({ decision: 'approve', after_polls: 2 })
})

it('every example has its row in the README', async () => {
  const readme = await text('README.md')
  const entries = await readdir(examples, { withFileTypes: true })

  for (const { name } of entries.filter((it) => it.isDirectory())) {
    expect(readme).toContain(`](${name})`)
  }
})
