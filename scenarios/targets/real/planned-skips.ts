import type { Loaded } from '../../language/load.ts'
import type { SkipReason } from '../../language/target.ts'
import { applyRoles, assignRoles } from './roles.ts'
import { skipReasons } from './skip-reasons.ts'
import type { TargetFile } from './target-file.ts'

/**
 * Why a scenario would be skipped according to the target file. Assumes that everything else
 * exists.
 */
export const planSkips = (file: TargetFile, allowWrites: boolean) => {
  const unknown = { agent_id: '', client_id: '', client_secret: '' }
  const agents = (file.agents ?? []).map((it) => ({ ...it, ...unknown }))
  const others = (file.elsewhere?.agents ?? []).map((it) => ({ ...it, ...unknown }))
  const users = file.users.map((it) => ({ ...it, token: '' }))
  const decides = users.some((it) => it.permissions.includes('jit.approve'))
  const { prefix = 'auto', profile } = file.issuer ?? {}
  const cast = ({ tenants }: Loaded) =>
    tenants.map(({ given }, index) =>
      assignRoles(given, [agents, others][index] ?? [], index === 0 ? users : []),
    )
  return (scenario: Loaded): SkipReason | undefined =>
    skipReasons(applyRoles(scenario, cast), {
      lacks: new Map(decides ? [] : [['approvals', 'the target has no token of an approver']]),
      prefixes: prefix === 'org' ? ['org'] : prefix === 'auto' ? ['tenant', 'org'] : ['tenant'],
      apiFails: undefined,
      apiIsNamed: file.api.url !== undefined,
      approver: file.approver ?? (decides ? 'token' : 'none'),
      writes: new Set(allowWrites ? file.writes : []),
      longestWait: file.limits.wait,
      standardsOnly: profile === 'oauth',
      cast,
    })
}
