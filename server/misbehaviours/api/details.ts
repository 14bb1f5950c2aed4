import type { Guard, Requirement } from '../../api/guard.ts'
import { type Act, misbehavioursOf } from '../../http/misbehave.ts'
import type { AccessTokenClaims, AuthorizationDetail } from '../../wire/index.ts'
import { withGuard } from './mislead-guard.ts'

/** Misbehaviours of the API when it reads details. */
export const detailMisbehaviours = misbehavioursOf('api', {
  'api-ignores-details': {
    says: "The API accepts the agent's own token for a confidential document.",
    breaks: 'API-CLASSIFICATION',
    act: withLenientGuard(() => true),
  },
  'api-ignores-scope': {
    says: 'The API accepts a token without the required scope.',
    breaks: 'BRR-05',
    act: withGuard((honest) => ({
      ...honest,
      admit: (credentials, requirement) =>
        honest.admit(credentials, 'scope' in requirement ? { token: 'any' } : requirement),
    })),
  },
  'api-ignores-identifier': {
    says: 'The API accepts a detail for another identifier.',
    breaks: 'API-COVERS',
    act: misreadToken(({ identifier: _, ...detail }, { identifier }) => ({
      ...detail,
      ...(identifier === undefined ? {} : { identifier }),
    })),
  },
  'api-ignores-action': {
    says: 'The API accepts read for write and delete.',
    breaks: 'API-COVERS',
    act: misreadToken(({ actions: held, ...detail }, { actions = [] }) => ({
      ...detail,
      actions: held?.length ? actions : [],
    })),
  },
  'api-ignores-type': {
    says: 'The API accepts a detail of another type.',
    breaks: 'API-COVERS',
    act: misreadToken((detail, { type }) => ({ ...detail, type })),
  },
  'api-ignores-case': {
    says: 'The API compares actions case-insensitively.',
    breaks: 'RAR-18',
    act: misreadToken((detail) => ({
      ...detail,
      actions: (detail.actions ?? []).map((action) => action.toLowerCase()),
    })),
  },
  'api-ignores-locations': {
    says: 'The API accepts a detail for another location.',
    breaks: 'RAR-03',
    act: misreadToken(({ locations: _, ...detail }) => detail),
  },
  'api-empty-means-all': {
    says: 'The API treats missing or empty actions as all actions.',
    breaks: 'RAR-21',
    act: misreadToken((detail, { actions = [] }) =>
      detail.actions?.length ? detail : { ...detail, actions },
    ),
  },
  'api-adds-details-up': {
    says: 'The API combines two details: the action of one, the identifier of the other.',
    breaks: 'RAR-03',
    act: withLenientGuard((details, required) => {
      const actions = details.flatMap((detail) => detail.actions ?? [])
      return (
        details.some(({ type }) => type === required.type) &&
        details.some(({ identifier }) => identifier === required.identifier) &&
        (required.actions ?? []).every((action) => actions.includes(action))
      )
    }),
  },
  'api-never-satisfied': {
    says: 'The API challenges every token, whatever its details.',
    breaks: 'THR-16',
    begin: () => {
      let wishes = 0
      return withGuard((honest) => ({
        ...honest,
        admit: (credentials, requirement) =>
          honest.admit(
            credentials,
            'detail' in requirement
              ? { detail: { ...requirement.detail, privileges: [`wish-${++wishes}`] } }
              : requirement,
          ),
      }))
    },
  },
})

/** A guard that also accepts tokens that `enough` accepts. */
function withLenientGuard(
  enough: (details: readonly AuthorizationDetail[], required: AuthorizationDetail) => boolean,
): Act {
  return withGuard((honest) => {
    const allows = (claims: AccessTokenClaims, requirement: Requirement) =>
      honest.allows(claims, requirement) ||
      ('detail' in requirement && enough(claims.authorization_details ?? [], requirement.detail))
    return guardAllowing(honest, allows)
  })
}

/** A guard that reads each detail of a token as another. */
function misreadToken(
  change: (detail: AuthorizationDetail, required: AuthorizationDetail) => AuthorizationDetail,
): Act {
  return withGuard((honest) => {
    const allows = (claims: AccessTokenClaims, requirement: Requirement) => {
      if (!('detail' in requirement)) return honest.allows(claims, requirement)
      const details = claims.authorization_details?.map((it) => change(it, requirement.detail))
      return honest.allows({ ...claims, authorization_details: details }, requirement)
    }
    return guardAllowing(honest, allows)
  })
}

/** A guard that verifies tokens like the real one, with another `allows`. */
const guardAllowing = (honest: Guard, allows: Guard['allows']): Guard => ({
  allows,
  admit: async (credentials, requirement) => {
    const claims = await honest.admit(credentials, { token: 'any' })
    return allows(claims, requirement) ? claims : honest.admit(credentials, requirement)
  },
})
