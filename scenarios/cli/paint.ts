import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]
export type Paint = (style: Style, text: string) => string

/** Colours where the stream shows them. */
export const painter =
  (out: NodeJS.WriteStream & { hasColors?: () => boolean }): Paint =>
  (style, text) =>
    out.hasColors?.() ? styleText(style, text, { validateStream: false }) : text
