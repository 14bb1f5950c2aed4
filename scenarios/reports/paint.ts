import { styleText } from 'node:util'

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/**
 * Colours text where the stream supports it; NO_COLOR, and then FORCE_COLOR, take precedence. Without a
 * stream: no colours.
 */
export const painter =
  (stream?: NodeJS.WritableStream): Paint =>
  (style, text) =>
    stream === undefined || process.env.NO_COLOR ? text : styleText(style, text, { stream })
