/** An answer as a step sees it. */
export type Answer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  /** Parsed where it is JSON, else as text; undefined where there is none. */
  body: unknown
  violations: readonly string[]
}>

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300
