import { z } from 'zod'

/** The delivery method URI of push delivery (RFC 8935). */
export const pushDelivery = 'urn:ietf:rfc:8935'
/** The delivery method URI of poll delivery (RFC 8936). */
export const pollDelivery = 'urn:ietf:rfc:8936'

/** Answer of `GET B/.well-known/ssf-configuration` (SSF 1.0 §7.1). */
export const SsfConfiguration = z
  .looseObject({
    spec_version: z.string(),
    issuer: z.url(),
    jwks_uri: z.url(),
    delivery_methods_supported: z.array(z.string()).min(1),
    configuration_endpoint: z.url(),
    verification_endpoint: z.url(),
    events_supported: z.array(z.url()),
  })
  .meta({ id: 'SsfConfiguration' })
export type SsfConfiguration = z.infer<typeof SsfConfiguration>

/** Sent as a header of each push, so control characters and line ends are rejected. */
const HeaderValue = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x20-\x7e]+$/, { error: 'expected printable ASCII' })

/** Without `delivery`, the receiver polls for signals (STM-02). */
const Delivery = z
  .object({
    method: z.enum([pushDelivery, pollDelivery]),
    endpoint_url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
    /** LumoAuth's name: a bearer token. */
    authorization_token: HeaderValue.optional(),
    /** The standard's name: the whole value of `Authorization`. */
    authorization_header: HeaderValue.optional(),
  })
  .refine((it) => it.method !== pushDelivery || it.endpoint_url !== undefined, {
    error: 'expected a URL to push to',
    path: ['endpoint_url'],
  })

/** Body that creates a stream. */
export const CreateStream = z
  .object({
    delivery: Delivery.optional(),
    events_requested: z.array(z.string().max(256)).max(32).optional(),
    audience: z.union([z.string(), z.array(z.string()).min(1).max(8)]).optional(),
    description: z.string().max(1024).optional(),
  })
  .meta({ id: 'CreateStream' })
export type CreateStream = z.infer<typeof CreateStream>

/** The configuration of a stream. */
export const StreamConfiguration = z
  .looseObject({
    stream_id: z.string().min(1),
    iss: z.url(),
    /** A string when there is one audience. */
    aud: z.union([z.string(), z.array(z.string()).min(1)]),
    events_supported: z.array(z.url()),
    events_requested: z.array(z.string()),
    events_delivered: z.array(z.url()),
    delivery: z.looseObject({
      method: z.string(),
      endpoint_url: z.url(),
      /** Whether pushes have an `Authorization` header. */
      authorization_configured: z.boolean(),
    }),
    status: z.literal('enabled'),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'StreamConfiguration' })
export type StreamConfiguration = z.infer<typeof StreamConfiguration>

/** Several streams. The bare array is the older form. */
export const StreamList = z
  .strictObject({ streams: z.array(StreamConfiguration) })
  .or(z.array(StreamConfiguration))
export type StreamList = z.infer<typeof StreamList>

/** Query that selects a stream. Absent: all streams of the caller, or, to delete, its only one. */
export const SignalStreamQuery = z.object({ stream_id: z.string().max(128).optional() })
export type SignalStreamQuery = z.infer<typeof SignalStreamQuery>

/** Body that requests a verification event. */
export const VerifyStream = z
  .object({ stream_id: z.string().min(1).max(128), state: z.string().max(1024).optional() })
  .meta({ id: 'VerifyStream' })
export type VerifyStream = z.infer<typeof VerifyStream>

/** Body of a poll (RFC 8936 §2.2). */
export const Poll = z
  .object({
    maxEvents: z.int().nonnegative().optional(),
    returnImmediately: z.boolean().default(false),
    ack: z.array(z.string().max(256)).max(1000).optional(),
    setErrs: z
      .record(z.string(), z.looseObject({ err: z.string(), description: z.string().optional() }))
      .optional(),
  })
  .meta({ id: 'Poll' })
export type Poll = z.infer<typeof Poll>

/** Answer of a poll (RFC 8936 §2.3). */
export const Polled = z
  .object({ sets: z.record(z.string(), z.string()), moreAvailable: z.boolean().optional() })
  .meta({ id: 'Polled' })
export type Polled = z.infer<typeof Polled>

/** Claims of a signed security event token (RFC 8417 §2.2, SET-01 to SET-04). */
export const SecurityEventToken = z
  .looseObject({
    iss: z.url(),
    aud: z.array(z.string()),
    iat: z.int(),
    jti: z.string().min(1),
    sub_id: z.looseObject({ format: z.string() }),
    events: z.record(z.url(), z.looseObject({})),
    sub: z.never().optional(),
    exp: z.never().optional(),
  })
  .meta({ id: 'SecurityEventToken' })
export type SecurityEventToken = z.infer<typeof SecurityEventToken>
