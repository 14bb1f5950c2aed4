/** The type of a callback's result, for a message. Never contains the value. */
export const typeName = (value: unknown): string => (value === null ? 'null' : typeof value)
