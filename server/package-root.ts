import { existsSync } from 'node:fs'

/** The folder of this package: above the sources, and above whatever has been built from them. */
export const packageRoot: URL = ((): URL => {
  const here = new URL('./', import.meta.url)
  for (let folder = here; folder.pathname !== '/'; folder = new URL('../', folder)) {
    if (existsSync(new URL('package.json', folder))) return folder
  }
  return here
})()
