import type { z } from 'zod'

/** Each problem as `where: what was expected`, values left out, since they may be secrets. */
export const problems = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => {
    const where = path.map((part) => String(part).slice(0, 64)).join('.')
    return where === '' ? message : `${where}: ${message}`
  })
