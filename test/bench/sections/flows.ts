import type { AgentAt } from '../clients/sequences.ts'
import { type Algorithm, floor, running, startedHarness } from '../contenders.ts'
import { median, ratios, told, unsteady } from '../figures.ts'
import { type Driven, driven } from '../load.ts'
import { alternating, type Section, type Sizes } from '../section.ts'

/** Concurrent flows. */
const atOnce = 10

type Kind = 'floor' | 'introspection' | 'expiry'

const kinds: readonly Kind[] = ['floor', 'introspection', 'expiry']

export const flows: Section = {
  says: 'whole JIT flows, beside four requests and two signatures of the floor',
  measure: async (sizes) => {
    const asked = (['RS256', 'ES256'] as const).flatMap((algorithm) =>
      kinds.map((kind) => ({ algorithm, kind })),
    )
    const seen = [...(await alternating(sizes.rounds, asked, (it) => measured(it, sizes)))]
    const roundsOf = (algorithm: Algorithm, kind: Kind) =>
      seen
        .filter(([it]) => it.algorithm === algorithm && it.kind === kind)
        .flatMap(([, rounds]) => rounds)
    const rates = (algorithm: Algorithm, kind: Kind) =>
      roundsOf(algorithm, kind).map(({ perSecond }) => perSecond)
    const costs = (algorithm: Algorithm, kind: Kind) =>
      roundsOf(algorithm, kind).map(({ cpuMs }) => cpuMs)
    const named = {
      floor: 'floor: 4 requests, 2 signatures',
      introspection: 'JIT flow, revocation by introspection',
      expiry: 'JIT flow, revocation by expiry',
    }
    return {
      tables: [
        {
          title: 'Whole JIT flows',
          table: {
            columns: [
              'algorithm',
              'sequence',
              'per second',
              '× floor',
              'p50, ms',
              'p99, ms',
              'CPU ms per 1000',
              'client busy',
            ],
            rows: seen.map(([{ algorithm, kind }, rounds]) => {
              const of = (figure: (round: Driven) => number) => told(median(rounds.map(figure)))
              return [
                algorithm,
                named[kind],
                of(({ perSecond }) => perSecond),
                told(median(ratios(rates(algorithm, kind), rates(algorithm, 'floor')))),
                of(({ sequence }) => sequence.p50),
                of(({ sequence }) => sequence.p99),
                of(({ cpuMs }) => cpuMs),
                of(({ clientBusy }) => clientBusy),
              ]
            }),
          },
          notes: [
            `A flow is six requests: open a task, read and be refused (403), request, fetch the token, read (200), complete. The agent has signed in before. ${atOnce} at once, by one client in a process of its own, the same for both sides.`,
          ],
        },
      ],
      budgets: (['RS256', 'ES256'] as const).flatMap((algorithm) =>
        (['introspection', 'expiry'] as const).map((kind) => ({
          what: `${algorithm}: ${named[kind]}, of the floor’s sequence`,
          unit: '×',
          atLeast: algorithm === 'RS256' ? 0.45 : 0.22,
          rounds: ratios(rates(algorithm, kind), rates(algorithm, 'floor')),
          byCpu: ratios(costs(algorithm, 'floor'), costs(algorithm, kind)),
        })),
      ),
      warnings: [
        ...unsteady(
          seen.map(([{ algorithm, kind }, rounds]) => ({
            what: `${algorithm} ${named[kind]}`,
            rounds: rounds.map(({ perSecond }) => perSecond),
          })),
        ),
        ...seen
          .filter(([, rounds]) => median(rounds.map(({ clientBusy }) => clientBusy)) > 0.9)
          .map(
            ([{ algorithm, kind }]) =>
              `${algorithm} ${named[kind]}: the client was busy all the time; the server could do more.`,
          ),
      ],
      data: seen.map(([it, rounds]) => ({ ...it, rounds })),
    }
  },
}

const measured = async (
  { algorithm, kind }: { algorithm: Algorithm; kind: Kind },
  { seconds }: Sizes,
): Promise<Driven> => {
  const times = { warmUp: Math.min(2, seconds), seconds }
  if (kind === 'floor') {
    const { server, ready } = await running(floor, algorithm)
    await using _ = server
    return faultless(await driven(server, { ...times, floor: ready.token, atOnce }))
  }
  const { server, summary, control } = await startedHarness(algorithm)
  await using _ = server
  await control('PUT', `/tenants/${summary.tenant}/dialect`, { revocation: kind })
  const agent: AgentAt = {
    issuer: summary.issuer,
    api: summary.api,
    tenant: summary.tenant,
    clientId: summary.client_id,
    clientSecret: summary.client_secret,
  }
  const agents = Array.from({ length: atOnce }, () => agent)
  return faultless(await driven(server, { ...times, agents }))
}

const faultless = (outcome: Driven): Driven => {
  if (outcome.failed > 0) throw new Error(`${outcome.failed} went wrong: ${outcome.failure}`)
  return outcome
}
