import type { z } from 'zod'

/** Formats each error as `where: what was expected`. Omits values, because they may be secrets. */
export const problems = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => {
    const where = path.map((part) => String(part).slice(0, 64)).join('.')
    return where === '' ? message : `${where}: ${message}`
  })
