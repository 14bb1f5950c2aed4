import { didYouMean } from '../../server/wire/closest.ts'
import { type Host, hosts, mock } from '../targets/mock.ts'
import type { Target } from '../targets/target.ts'
import { CannotRun } from './cannot-run.ts'

/** A host by its name. */
export const readHost = (name: string, others: readonly string[] = []): Host => {
  const host = hosts.find((it) => it === name)
  if (host !== undefined) return host
  const names = [...hosts, ...others]
  const hint = didYouMean(name, names) || `; hosts are ${names.join(', ')}`
  throw new CannotRun(`unknown host "${name}"${hint}`)
}

/** The mock under a host; what it takes beside us may not be installed. */
export const mockOf = async (host: Host): Promise<Target> => {
  try {
    return await mock(host)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !/'msw(\/\w+)?'/.test(message)) throw error
    throw new CannotRun('the host msw needs the package msw: npm install --save-dev msw')
  }
}
