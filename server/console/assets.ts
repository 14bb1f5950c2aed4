import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { packageRoot } from '../package-root.ts'

export type Asset = Readonly<{ type: string; text: string }>

/** The files of the page. Their version is in their path, so a browser may keep them for ever. */
export type Assets = Readonly<{ version: string; files: ReadonlyMap<string, Asset> }>

/** Read once, when the first browser comes. */
export const pageAssets = (): Assets => {
  loaded ??= load()
  return loaded
}

let loaded: Assets | undefined

/** What the page may do: run and show its own files, ask its own server, and be framed by nobody. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const load = (): Assets => {
  const folder = new URL('server/console/page/', packageRoot)
  const names = readdirSync(folder).filter((name) => typeOf(name) !== undefined)
  const texts = names.sort().map((name) => readFileSync(new URL(name, folder), 'utf8'))
  const version = createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16)
  const files = names.map((name, at): [string, Asset] => [
    name,
    { type: typeOf(name) ?? '', text: (texts[at] ?? '').replaceAll('{{version}}', version) },
  ])
  return { version, files: new Map(files) }
}

const typeOf = (name: string) => types[name.split('.').at(-1) ?? '']
