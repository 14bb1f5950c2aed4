/** Whether a `Host` is a name of this harness, and not one that only resolves here (DNS rebinding). */
export const isOurs = (host: string, origin: string) => {
  const name = host.replace(/:\d+$/, '')
  return host === new URL(origin).host || ['localhost', '127.0.0.1', '[::1]'].includes(name)
}
