import type { Loaded } from '../../language/load.ts'
import { Unable } from '../../language/target.ts'
import { castOf, played } from './roles.ts'
import { whyNot } from './skip-reasons.ts'
import type { TargetFile } from './target-file.ts'

/** Why a scenario would be skipped, by the target file alone: whatever may be there is taken to be. */
export const plannedCannot = (file: TargetFile, allowWrites: boolean) => {
  const unknown = { agent_id: '', client_id: '', client_secret: '' }
  const agents = (file.agents ?? []).map((it) => ({ ...it, ...unknown }))
  const others = (file.elsewhere?.agents ?? []).map((it) => ({ ...it, ...unknown }))
  const users = file.users.map((it) => ({ ...it, token: '' }))
  const decides = users.some((it) => it.permissions.includes('jit.approve'))
  const { prefix = 'auto', profile } = file.issuer ?? {}
  const cast = ({ tenants }: Loaded) =>
    tenants.map(({ given }, index) => {
      const players = [agents, others][index] ?? []
      if (players.length === 0) {
        throw new Unable('it takes another tenant, and the target names none (elsewhere: …)')
      }
      return castOf(given, players, index === 0 ? users : [])
    })
  return (scenario: Loaded): string | undefined =>
    whyNot(played(scenario, cast), {
      lacks: new Map(decides ? [] : [['approvals', 'nobody who may approve has given a token']]),
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
