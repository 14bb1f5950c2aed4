/** Approximate maximum bytes of one page of a log, so that writing it does not delay other requests. */
export const pageBytes = 512 * 1024

/** The first items that fit on one page; at least one, if there is one. */
export const firstPage = <T>(items: Iterable<T>, bytesOf: (item: T) => number): T[] => {
  const page: T[] = []
  let left = pageBytes
  for (const item of items) {
    left -= bytesOf(item)
    if (left < 0 && page.length > 0) break
    page.push(item)
  }
  return page
}

/** Where the next page begins: after the last item of this one, or undefined after the last page. */
export const placeAfter = (
  page: readonly Readonly<{ seq: number }>[],
  isAll: boolean,
  log: Readonly<{ last: number; forgotten: number }>,
): Readonly<{ next: number; forgotten: number; more?: true }> => ({
  next: isAll ? log.last : (page.at(-1)?.seq ?? log.last),
  forgotten: log.forgotten,
  ...(isAll ? {} : { more: true }),
})
