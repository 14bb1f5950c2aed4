import { readFileSync } from 'node:fs'
import type { AgentAt } from '../clients/sequences.ts'
import { startedHarness } from '../contenders.ts'
import { told } from '../figures.ts'
import { type Driven, driven } from '../load.ts'
import type { Section } from '../section.ts'

const tenants = 10
const agentsEach = 100

/** How many times longer than other measurements this one takes: usually 60 s. */
const longer = 20

type Seen = Driven &
  Readonly<{ algorithm: string; highestMiB: number; idleMiB: number; overflows: number }>

export const agents: Section = {
  says: '1000 agents at once, each with its own client, JIT flows without a pause',
  measure: async ({ seconds }) => {
    const seen = await crowd(seconds * longer)
    const { steps } = seen
    return {
      tables: [
        {
          title: `${tenants * agentsEach} agents at once for ${seconds * longer} s (RS256, revocation by introspection)`,
          table: {
            columns: ['what', 'figure'],
            rows: [
              ['whole flows', String(seen.done)],
              ['flows that went wrong', String(seen.failed)],
              ['flows/s', told(seen.perSecond)],
              ['requests/s', told(seen.perSecond * 6)],
              [
                'a flow, p50 and p99',
                `${told(seen.sequence.p50)} and ${told(seen.sequence.p99)} ms`,
              ],
              ...Object.entries(steps).map(([name, { p50, p99 }]) => [
                `${name}, p50 and p99`,
                `${told(p50)} and ${told(p99)} ms`,
              ]),
              ['CPU per 1000 flows', `${told(seen.cpuMs)} ms`],
              [
                'memory before and at its highest',
                `${told(seen.idleMiB)} and ${told(seen.highestMiB)} MiB`,
              ],
              ['connections dropped, the queue of a listener being full', told(seen.overflows)],
              ['client busy', told(seen.clientBusy)],
            ],
          },
          notes: [
            `${agentsEach} agents in each of ${tenants} tenants; two connections each. No agent pauses, so each waits for all others: a flow takes as long as all agents’ flows.`,
          ],
        },
      ],
      budgets: [
        {
          what: '1000 agents at once: flows that went wrong',
          unit: '',
          atMost: 0,
          rounds: [seen.failed],
        },
      ],
      warnings:
        seen.failure === undefined ? [] : [`the first flow that went wrong: ${seen.failure}`],
      data: seen,
    }
  },
}

const crowd = async (seconds: number): Promise<Seen> => {
  const { server, summary, control } = await startedHarness('RS256')
  await using _ = server
  const all: AgentAt[] = []
  for (let n = 0; n < tenants; n += 1) {
    const created = await control('POST', '/tenants', {
      agents: Array.from({ length: agentsEach }, (_, agent) => ({ name: `agent-${agent}` })),
    })
    for (const { client_id, client_secret } of created.agents) {
      all.push({
        issuer: summary.issuer,
        api: summary.api,
        tenant: created.tenant,
        clientId: client_id,
        clientSecret: client_secret,
      })
    }
  }
  const { now: idleMiB } = server.memory()
  const overflows = listenOverflows()
  const outcome = await driven(server, { warmUp: Math.min(5, seconds), seconds, agents: all })
  return {
    ...outcome,
    algorithm: 'RS256',
    idleMiB,
    highestMiB: server.memory().highest,
    overflows: listenOverflows() - overflows,
  }
}

/** Of the whole machine: a dropped connection is retried after 1, 2, 4 … seconds. */
const listenOverflows = (): number => {
  const [names = [], numbers = []] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '))
  return Number(numbers[names.indexOf('ListenOverflows')])
}
