import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeOldNode, oldestNode } from '../../server/wire/node-version.ts'
import { Running, root } from '../support/running.ts'

const { engines, exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

describe('the oldest Node', () => {
  it('is what package.json says', () => {
    expect(engines.node).toBe(`>=${oldestNode.major}.${oldestNode.minor}`)
  })

  it.each(['20.20.2', '22.17.1', '18.0.0'])(
    'is newer than %s, which is told so in one sentence',
    (version) => {
      expect(describeOldNode(version)).toBe(
        `lumoauth-harness needs Node 22.18 or newer, and this is Node ${version}`,
      )
    },
  )

  it.each(['22.18.0', '24.0.0', '26.10.0', undefined])('lets %s be', (version) => {
    expect(describeOldNode(version)).toBeUndefined()
  })
})

describe('an old Node', () => {
  const pretending = (text: string) =>
    new Running(process.execPath, [
      '--input-type=module',
      '--eval',
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })
      ${text}`,
    ])

  it.each(
    Object.entries<{ default: string }>(exports).filter(([path]) => path !== './package.json'),
  )('is named by the entry point %s', async (_, { default: built }) => {
    const source = built.replace('./dist/', '').replace(/\.js$/, '.ts')
    await using running = pretending(`
      await import(${JSON.stringify(join(root, source))}).catch((error) => console.log(error.message))`)

    expect(await running.ends(), running.stderr).toBe(0)
    expect(running.stdout).toMatch(/^lumoauth-harness needs Node .*, and this is Node 20\.1\.0\n$/)
  })

  it('is named by the command line, with exit code 2', async () => {
    await using running = pretending(
      `await import(${JSON.stringify(join(root, 'scenarios/cli.ts'))})`,
    )

    expect(await running.ends()).toBe(2)
    expect(running.stderr).toMatch(/^lumoauth-harness needs Node .*, and this is Node 20\.1\.0\n$/)
  })
})
