/**
 * Maximum bytes of an answer, after decompression, that are read. Answers of the contract are far
 * smaller.
 */
export const longestAnswer = 2 ** 20

/**
 * Reads the text of a body; undefined when it is longer than `limit` bytes after decompression, and the
 * rest is not read. Aborting the signal ends the reading.
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
