/** Percent-decodes text. Malformed text is returned unchanged. */
export const decodeUri = (text: string): string => decodeOr(text, text)

/** The same for a parameter of a form or a query, where `+` is a space. */
export const decodeParameter = (text: string): string => decodeOr(text.replaceAll('+', ' '), text)

const decodeOr = (encoded: string, otherwise: string): string => {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return otherwise
  }
}
