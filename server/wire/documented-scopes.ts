/** Scopes of the documentation without rights of their own: every agent may request them. */
export const basicAgentScopes = ['agent:basic', 'jit:request'] as const

/** The scope to read permissions (README of lumoauth 1.1.0). Users may be asked for it by every client. */
export const readPermissionsScope = 'authz:read'
