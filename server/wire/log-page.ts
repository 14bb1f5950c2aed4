/** Bytes that one page of a log has, more or less: writing it must not keep other requests waiting. */
export const pageBytes = 512 * 1024

/** The first items, as many as go on one page; at least one, where there is one. */
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

/** Where the next page begins: behind the last item of this one, unless that was all there is. */
export const placeAfter = (
  page: readonly Readonly<{ seq: number }>[],
  isAll: boolean,
  log: Readonly<{ last: number; forgotten: number }>,
): Readonly<{ next: number; forgotten: number; more?: true }> => ({
  next: isAll ? log.last : (page.at(-1)?.seq ?? log.last),
  forgotten: log.forgotten,
  ...(isAll ? {} : { more: true }),
})
