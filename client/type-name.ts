/** The type of a value that a callback returned, for a message: never the value itself. */
export const typeName = (value: unknown): string => (value === null ? 'null' : typeof value)
