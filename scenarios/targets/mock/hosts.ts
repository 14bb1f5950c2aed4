/** How the mock is reached: over sockets by Express, as `start` serves it; by MSW; by a function call. */
export const hosts = ['express', 'msw', 'fetch'] as const
export type Host = (typeof hosts)[number]

/** Names of hosts in earlier versions, and what they are named now. */
export const renamedHosts = { http: 'express' } as const
