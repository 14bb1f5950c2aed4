import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { packageRoot } from './package-root.ts'
import { type Contract, readContract } from './wire/contract.ts'

/** The file of the contract, for messages. */
export const contractFile = (): string =>
  fileURLToPath(new URL('server/wire/CONTRACT.md', packageRoot))

/** The contract in the package. */
export const loadContract = async (): Promise<Contract> =>
  readContract(await readFile(contractFile(), 'utf8'))
