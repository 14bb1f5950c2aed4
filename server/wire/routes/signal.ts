import * as signal from '../signal.ts'
import type { Route } from './route.ts'

/**
 * Shared signals (CONTRACT.md#signal-streams). LumoAuth documents no route to update a stream, so
 * this table has none.
 */
export const signalRoutes = {
  'ssf.configuration': {
    seat: 'issuer',
    method: 'GET',
    path: '/.well-known/ssf-configuration',
    aliases: [
      '/.well-known/ssf-configuration/t/:tenant/api/v1',
      '/.well-known/ssf-configuration/orgs/:tenant/api/v1',
    ],
    auth: 'none',
    summary: 'Read the configuration of shared signals (SSF)',
    source: 'CONTRACT.md#signal-streams',
    answers: { 200: signal.SsfConfiguration },
  },
  'ssf.stream.create': {
    seat: 'issuer',
    method: 'POST',
    path: '/ssf/stream',
    auth: 'bearer',
    summary: 'Open a stream of signals',
    source: 'CONTRACT.md#signal-streams',
    note: 'An agent receives events of its own tasks and tokens; a resource server and an approver receive all.',
    body: signal.CreateStream,
    answers: { 201: signal.StreamConfiguration },
  },
  'ssf.stream.read': {
    seat: 'issuer',
    method: 'GET',
    path: '/ssf/stream',
    auth: 'bearer',
    summary: 'Read one stream, or all streams of the caller',
    source: 'CONTRACT.md#signal-streams',
    query: signal.SignalStreamQuery,
    answers: { 200: signal.StreamConfiguration.or(signal.StreamList) },
  },
  'ssf.stream.delete': {
    seat: 'issuer',
    method: 'DELETE',
    path: '/ssf/stream',
    auth: 'bearer',
    summary: 'Close a stream',
    source: 'CONTRACT.md#signal-streams',
    note: 'Without stream_id: the caller’s only stream.',
    query: signal.SignalStreamQuery,
    answers: { 204: null },
  },
  'ssf.verify': {
    seat: 'issuer',
    method: 'POST',
    path: '/ssf/verify',
    auth: 'bearer',
    summary: 'Request a verification event',
    source: 'CONTRACT.md#signal-streams',
    body: signal.VerifyStream,
    answers: { 204: null },
  },
  'ssf.poll': {
    seat: 'issuer',
    method: 'POST',
    path: '/ssf/poll/:streamId',
    auth: 'bearer',
    summary: 'Fetch and acknowledge signals (RFC 8936)',
    source: 'CONTRACT.md#delivery-of-signals',
    body: signal.Poll,
    answers: { 200: signal.Polled },
  },
} as const satisfies Record<string, Route>
