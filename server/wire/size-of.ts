/**
 * Approximate size of a value as JSON, in bytes: strings by their length, everything else at a flat
 * rate.
 */
export const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 8
  if (Array.isArray(value)) {
    let size = 2
    for (const member of value) size += 1 + sizeOf(member)
    return size
  }
  let size = 2
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) size += name.length + 4 + sizeOf(member)
  }
  return size
}
