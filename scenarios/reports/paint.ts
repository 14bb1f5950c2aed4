import { styleText } from 'node:util'

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/** Colours text where the stream shows colours; NO_COLOR and FORCE_COLOR decide first. No stream: none. */
export const painter =
  (stream?: NodeJS.WritableStream): Paint =>
  (style, text) =>
    stream === undefined ? text : styleText(style, text, { stream })
