import { readFileSync } from 'node:fs'

/** The version in package.json, which stands above both the sources and the compiled package. */
export const version: string = ((): string => {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')).version
    } catch {
      // Not here: one folder further up.
    }
  }
  return 'unknown'
})()
