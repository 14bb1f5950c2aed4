const clones = new WeakMap<Request | Response, Request | Response>()

/**
 * A clone that lives as long as its original. Node 22.18 cancels the body of a request or response when
 * a clone of it is garbage-collected (nodejs/undici#4414).
 */
export const cloneMessage = <M extends Request | Response>(original: M): M => {
  const clone = original.clone() as M
  clones.set(original, clone)
  return clone
}
