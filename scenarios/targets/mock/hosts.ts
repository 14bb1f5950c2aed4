/**
 * How the mock is reached: over sockets (Express, as in `start`), by MSW, or by a function call.
 */
export const hosts = ['express', 'msw', 'fetch'] as const
export type Host = (typeof hosts)[number]

/** Former names of hosts, and the present ones. */
export const renamedHosts = { http: 'express' } as const
