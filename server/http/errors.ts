import type { ErrorCode } from '../wire/error-codes.ts'
import type { ErrorBody } from '../wire/index.ts'
import type { Answer } from './message.ts'

/** Builds the error body (CONTRACT.md#error-bodies). Each SDK finds the field it reads. */
export const errorAnswer = (
  status: number,
  error: ErrorCode,
  description: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { 'cache-control': 'no-store', ...headers },
  body: {
    error,
    error_description: description,
    message: description,
    code: error,
    status,
    ...more,
  } satisfies ErrorBody,
})
