import { z } from 'zod'

/** The id of a rule in the catalogue: words and numbers joined by hyphens, such as `RAR-20`. */
export const RuleId = z.string().regex(/^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$/, {
  error: 'expected a rule id, such as RAR-20',
})
