/** Bytes of an answer that are read, once decompressed. No answer of the contract comes near it. */
export const longestAnswer = 2 ** 20

/**
 * The text of a body, or undefined once it is longer than `limit` bytes after decompression: the rest is
 * then not read. An abort of the signal ends the reading early.
 */
export const readText = async (
  message: Request | Response,
  limit: number = longestAnswer,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  const reader = message.body?.getReader()
  if (reader === undefined) return ''
  const stop = () => void reader.cancel().catch(() => undefined)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const decoder = new TextDecoder()
    let text = ''
    let length = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode()
      length += value.byteLength
      if (length > limit) {
        stop()
        return undefined
      }
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
