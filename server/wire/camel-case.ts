/** The value with its own members, not those within them, named in camelCase. */
export const inCamelCase = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value).map(([name, member]) => [
          name.replace(/_([a-z])/g, (_, it: string) => it.toUpperCase()),
          member,
        ]),
      )
