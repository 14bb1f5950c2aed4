/** Formats epoch seconds as the wire does: ISO 8601, UTC, whole seconds. */
export const isoTime = (epoch: number): string =>
  new Date(Math.floor(epoch) * 1000).toISOString().replace('.000Z', 'Z')
