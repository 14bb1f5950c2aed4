import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { UsageError } from '../../server/usage-error.ts'
import { type Document, differencesFrom, findScenariosOf } from '../checks/contract-diff.ts'
import type { DiffContractOptions } from './commands/diff-contract.ts'
import { loadSuite } from './find-scenarios.ts'

/** `lumoauth-harness diff-contract`. @returns the exit code */
export const diffContract = async (
  name: string,
  { json }: DiffContractOptions,
): Promise<number> => {
  const text = await readFile(name, 'utf8').catch(() => {
    throw new UsageError(`there is no ${name}`)
  })
  const differences = differencesFrom(documentIn(name, text))
  const { scenarios } = await loadSuite()
  const lines = differences.map((it) => ({
    ...it,
    scenarios: findScenariosOf(it.route, scenarios),
  }))
  if (json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`)
  else {
    for (const { at, says, scenarios } of lines) {
      const touched =
        scenarios.length === 0
          ? ''
          : `\n    touches ${scenarios.length}: ${scenarios.slice(0, 3).join('; ')}${scenarios.length > 3 ? '; …' : ''}`
      process.stdout.write(`${at}: ${says}${touched}\n`)
    }
    const count = (kind: string) => differences.filter((it) => it.kind === kind).length
    process.stdout.write(
      `${count('differs')} differences, ${count('only here')} routes only in the contract, ${count('only there')} only in ${name}\n`,
    )
  }
  return differences.some((it) => it.kind === 'differs') ? 1 : 0
}

const documentIn = (name: string, text: string): Document => {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new UsageError(
      `${name} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`,
    )
  }
  const document = value as Document | null
  if (typeof document?.openapi !== 'string' || !document.openapi.startsWith('3.')) {
    throw new UsageError(`${name} is not an OpenAPI 3 document: expected "openapi: 3.…"`)
  }
  if (typeof document.paths !== 'object') throw new UsageError(`${name} has no paths`)
  return document
}
