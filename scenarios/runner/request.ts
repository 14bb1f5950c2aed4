import type { Order } from '../language/step-context.ts'

/** Default timeout for an answer, in milliseconds. */
export const usualPatience = 10_000

export const requestOf = (
  root: string,
  order: Order,
  authorization: Record<string, string>,
  { patience, stop }: Readonly<{ patience: number; stop?: AbortSignal | undefined }>,
): Request => {
  const { method, path, json, form, body, headers = {} } = order
  const content =
    json !== undefined
      ? { type: 'application/json', body: JSON.stringify(json) }
      : form !== undefined
        ? { type: 'application/x-www-form-urlencoded', body: formOf(form).toString() }
        : body === undefined
          ? undefined
          : { type: undefined, body }
  const merged = new Headers(authorization)
  if (content?.type !== undefined) merged.set('content-type', content.type)
  for (const [name, value] of Object.entries(headers)) merged.set(name, value)
  return new Request(`${root}${path}`, {
    method,
    headers: merged,
    redirect: 'manual',
    signal: AbortSignal.any([AbortSignal.timeout(patience), ...(stop === undefined ? [] : [stop])]),
    ...(content === undefined ? {} : { body: content.body }),
  })
}

const formOf = (form: Readonly<Record<string, unknown>>): URLSearchParams => {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(form)) {
    if (value === undefined) continue
    for (const it of Array.isArray(value) ? value : [value]) parameters.append(key, String(it))
  }
  return parameters
}
