/**
 * An origin, perhaps with a path, as the URLs in answers begin.
 * @returns undefined for what is none: credentials, query, fragment or another scheme
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

/** The path of a base URL, without a slash at its end; empty for an origin. */
export const pathOf = (base: string): string => new URL(base).pathname.replace(/\/+$/, '')
