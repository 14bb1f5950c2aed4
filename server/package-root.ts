import { existsSync } from 'node:fs'

/** The root folder of this package, found from the sources or from the compiled files. */
export const packageRoot: URL = ((): URL => {
  const here = new URL('./', import.meta.url)
  for (let folder = here; folder.pathname !== '/'; folder = new URL('../', folder)) {
    if (existsSync(new URL('package.json', folder))) return folder
  }
  return here
})()
