/**
 * An origin, optionally with a path: the beginning of URLs in answers.
 * @returns undefined for a URL with credentials, query, fragment or another scheme
 */
export const parseBase = (text: string): string | undefined => {
  const url = URL.parse(text)
  const isBase =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    /^(?:\/[\w.~-]+)*\/?$/.test(url.pathname)
  return isBase ? url.origin + url.pathname.replace(/\/$/, '') : undefined
}

/** An origin of plain HTTP, such as `http://10.0.0.7:4400`; undefined for any other text. */
export const parseHttpOrigin = (text: string): string | undefined => {
  const base = parseBase(text)
  return base?.startsWith('http://') && base === new URL(base).origin ? base : undefined
}

/** The path of a base URL, without a trailing slash; empty for an origin. */
export const pathOf = (base: string): string => new URL(base).pathname.replace(/\/+$/, '')
