import type { Order, Stage } from '../alone/scale.ts'
import { told } from '../figures.ts'
import { outcomeOf } from '../process.ts'
import type { Section } from '../section.ts'

export const scale: Section = {
  says: 'memory and latency with 10 000 tenants, 100 000 tasks and 1 000 000 tokens',
  measure: async ({ tokens }) => {
    const order: Order = { tenants: tokens / 10, tasks: tokens, tokens: 10 * tokens }
    const stages = await outcomeOf<Stage[]>('alone/scale.ts', order, ['--max-old-space-size=8192'])
    return {
      tables: [
        {
          title: 'Scale (ES256, one process, without sockets)',
          table: {
            columns: [
              'with',
              'in use, MiB',
              'resident, MiB',
              'tokens known',
              'tasks known',
              'token p50, ms',
              'token p99, ms',
              'flow p50, ms',
              'flow p99, ms',
              'made in, s',
            ],
            rows: stages.map(
              ({ what, heapMiB, residentMiB, tokens: live, tasks, tokenMs, flowMs, seconds }) => [
                what,
                told(heapMiB),
                told(residentMiB),
                String(live),
                String(tasks),
                told(tokenMs.p50),
                told(tokenMs.p99),
                told(flowMs.p50),
                told(flowMs.p99),
                told(seconds),
              ],
            ),
          },
          notes: [
            'In use: after everything that can be collected is. A tenth of the tokens at a time, an hour of the tenants’ clocks between; 100 tenants give them all. What has expired is forgotten when the tenant is next asked. Each tenant also keeps its newest 1000 to 2000 exchanges and 10 000 to 20 000 journal entries, which is most of what is in use.',
            'Latencies are those of one more tenant, asking one thing after another; a flow here is task, request, token, complete.',
          ],
        },
      ],
      data: { order, stages },
    }
  },
}
