import { z } from 'zod'

/** The form members of client authentication. */
export const clientFields = {
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  client_assertion: z.string().optional(),
  client_assertion_type: z.string().optional(),
}
