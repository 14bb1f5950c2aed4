/**
 * Calls `work` for each item, at most `limit` calls at a time, in the order of the items.
 * @returns what each call returned, in the order of the items
 * @throws the first error of a call; calls that other workers have begun go on
 */
export const mapConcurrently = async <T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = []
  const rest = items.entries()
  const worker = async () => {
    for (const [index, item] of rest) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
