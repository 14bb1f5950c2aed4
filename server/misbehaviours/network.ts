import { errorAnswer } from '../http/errors.ts'
import type { Answer } from '../http/message.ts'
import { encodeAnswer } from '../http/message.ts'
import { type Act, misbehavioursOf } from '../http/misbehave.ts'
import { alterAnswer, withFields } from './alter-answer.ts'

/** Misbehaviours of the network between a client and any seat. */
export const networkMisbehaviours = misbehavioursOf('network', {
  'network-slow': {
    says: 'The answer is delayed by 300 ms, or by `ms`.',
    breaks: 'NET-TIMELY',
    act: delayAnswer(300),
  },
  'network-very-slow': {
    says: 'The answer is delayed by 35 s, longer than the timeout of every published SDK.',
    breaks: 'NET-TIMELY',
    act: delayAnswer(35_000),
  },
  'network-drip': {
    says: 'The body is sent in ten pieces, 20 ms apart, or `ms`.',
    breaks: 'NET-TIMELY',
    act: alterAnswer((answer, { order }) => ({
      ...answer,
      fault: { ...answer.fault, drip: { pieces: 10, pause: order.ms ?? 20 } },
    })),
  },
  'network-reset': {
    says: 'The connection is reset before the request is handled.',
    breaks: 'NET-COMPLETE',
    act: async () => ({ status: 502, fault: { breaks: 'before' } }),
  },
  'network-answer-lost': {
    says: 'The request is handled, and the connection is reset before the answer is sent.',
    breaks: 'TEX-16',
    act: alterAnswer((answer) => ({ ...answer, fault: { ...answer.fault, breaks: 'before' } })),
  },
  'network-truncated': {
    says: 'The connection is closed in the middle of the body.',
    breaks: 'NET-COMPLETE',
    act: alterAnswer((answer) => ({ ...answer, fault: { ...answer.fault, breaks: 'within' } })),
  },
  'network-short-length': {
    says: 'Content-Length is half the length of the body, so the rest is missing.',
    breaks: 'NET-COMPLETE',
    act: alterAnswer((answer) => {
      const { headers, body } = encodeAnswer(answer)
      return body === null ? answer : { ...answer, headers, body: body.slice(0, body.length / 2) }
    }),
  },
  'network-allows-one-origin': {
    says: 'Access-Control-Allow-Origin names one origin, so pages of any other cannot read the answer.',
    breaks: 'NET-CORS',
    act: alterAnswer((answer) =>
      withFields(answer, { 'access-control-allow-origin': 'https://app.example' }),
    ),
  },
  'network-exposes-no-fields': {
    says: 'Access-Control-Expose-Headers is empty, so a page reads no challenge.',
    breaks: 'NET-CORS-CHALLENGE',
    act: alterAnswer((answer) => withFields(answer, { 'access-control-expose-headers': '' })),
  },
  'network-empty': {
    says: 'The answer has its status but no body.',
    breaks: 'LUMO-JSON-OBJECT',
    act: alterAnswer(({ body: _, ...answer }) => answer),
  },
  'network-duplicated': {
    says: 'The request is delivered twice, and the client receives the second answer.',
    breaks: 'NET-ONCE',
    act: async ({ answer }) => {
      await answer()
      return answer()
    },
  },
  'network-replayed': {
    says: 'The request is delivered again after the client has received its answer.',
    breaks: 'NET-ONCE',
    act: async ({ answer }) => {
      const first = await answer()
      await answer()
      return first
    },
  },
  'network-unavailable': {
    says: 'The answer is 503 with Retry-After in seconds; use `times: 1` for one answer.',
    breaks: 'RTY-01',
    act: async () => unavailableAnswer('1'),
  },
  'network-unavailable-until': {
    says: 'The answer is 503 with Retry-After as a date.',
    breaks: 'RTY-01',
    act: async ({ context }) =>
      unavailableAnswer(new Date((context.tenant.clock.now() + 1) * 1000).toUTCString()),
  },
  'network-recovers': {
    says: 'The first three answers are 503 without Retry-After; later ones are correct.',
    breaks: 'RTY-01',
    begin: () => {
      let failures = 3
      return async ({ answer }) => (failures-- > 0 ? unavailableAnswer() : answer())
    },
  },
  'network-rate-limited': {
    says: 'The answer is 429 with Retry-After in seconds.',
    breaks: 'RTY-01',
    act: async () =>
      errorAnswer(
        429,
        'rate_limit_exceeded',
        'too many requests',
        { retry_after: 2 },
        { 'retry-after': '2' },
      ),
  },
  'network-bad-gateway': {
    says: 'A proxy answers 502 with an HTML page.',
    breaks: 'LUMO-ERROR-BODY',
    act: async () => page(502, 'Bad Gateway'),
  },
  'network-captive-portal': {
    says: 'A captive portal answers 200 with an HTML page.',
    breaks: 'LUMO-CONTENT-TYPE',
    act: async () => page(200, 'Please accept our terms'),
  },
  'network-redirected': {
    says: 'The answer is a 307 redirect to another origin.',
    breaks: 'THR-27',
    act: async ({ routed: { request } }) => ({
      status: 307,
      headers: { location: `https://elsewhere.invalid${request.path}` },
    }),
  },
  'network-cached': {
    says: 'A proxy caches every answer to GET and serves it to every caller.',
    breaks: 'NET-FRESH',
    begin: () => {
      const stored = new Map<string, Answer>()
      return async ({ answer, routed: { request } }) => {
        if (request.method !== 'GET') return answer()
        const key = `${request.path}?${request.query}`
        const answered = stored.get(key) ?? (await answer())
        stored.set(key, answered)
        return answered
      }
    },
  },
  'network-fields-lost': {
    says: 'A proxy removes every header field except Content-Type.',
    breaks: 'NET-FIELDS',
    act: alterAnswer((answer) => {
      const type = answer.headers?.['content-type']
      return { ...answer, headers: type === undefined ? {} : { 'content-type': type } }
    }),
  },
})

function delayAnswer(usual: number): Act {
  return alterAnswer((answer, { order }) => ({
    ...answer,
    fault: { ...answer.fault, delay: order.ms ?? usual },
  }))
}

const unavailableAnswer = (after?: string): Answer =>
  errorAnswer(
    503,
    'temporarily_unavailable',
    'try again later',
    {},
    after === undefined ? {} : { 'retry-after': after },
  )

const page = (status: number, title: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><title>${title}</title><h1>${title}</h1>`,
})
