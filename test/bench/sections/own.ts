import type { Completion } from '../alone/completion.ts'
import type { Hosts } from '../alone/hosts.ts'
import { type Budget, median, told, unsteady } from '../figures.ts'
import { outcomeOf } from '../process.ts'
import { alternating, type Section } from '../section.ts'

export const own: Section = {
  says: 'a tenant, a call by each host, completing a task among many tokens',
  measure: async ({ rounds, tokens }) => {
    const seen = await alternating(rounds, ['hosts'], () => outcomeOf<Hosts>('alone/hosts.ts'))
    const hosts = seen.get('hosts') ?? []
    const completions: Completion[] = []
    for (const others of [100, 1_000, 10_000, 100_000]) {
      if (others <= tokens) completions.push(await outcomeOf('alone/completion.ts', { others }))
      process.stderr.write('.')
    }
    const of = (figure: (round: Hosts) => number) => median(hosts.map(figure))
    const overMsw = ({ msw, direct, mswTrivial }: Hosts) => msw - direct - mswTrivial
    return {
      tables: [
        {
          title: 'A tenant, and a call by each host',
          table: {
            columns: ['what', 'ms'],
            rows: [
              ['creating a tenant', told(of(({ tenantMs }) => tenantMs))],
              ['key set, `harness.fetch`', told(of(({ direct }) => direct))],
              ['key set, MSW', told(of(({ msw }) => msw))],
              ['a trivial handler, MSW', told(of(({ mswTrivial }) => mswTrivial))],
              ['what MSW adds to ours beyond its own cost', told(of(overMsw))],
              ['key set, HTTP', told(of(({ http }) => http))],
              ['token (ES256), `harness.fetch`', told(of(({ directToken }) => directToken))],
              ['token (ES256), MSW', told(of(({ mswToken }) => mswToken))],
              ['token (ES256), HTTP', told(of(({ httpToken }) => httpToken))],
            ],
          },
          notes: [
            'Medians of 300, one after another, each in turn, client and harness in one process.',
          ],
        },
        {
          title: 'Completing a task among the live tokens of others',
          table: {
            columns: ['tokens of others', 'with 10 tokens, ms', 'with 100 tokens, ms'],
            rows: completions.map(({ others, tenMs, hundredMs }) => [
              String(others),
              told(tenMs),
              told(hundredMs),
            ]),
          },
          notes: [
            'Medians of 20. What grows with the tokens of others would be a thousandfold at the end.',
          ],
        },
      ],
      budgets: [
        {
          what: 'creating a tenant',
          unit: 'ms',
          atMost: 2,
          rounds: hosts.map(({ tenantMs }) => tenantMs),
        },
        {
          what: 'MSW handler over calling it directly, beyond MSW’s own cost',
          unit: 'ms',
          atMost: 0.2,
          rounds: hosts.map(overMsw),
        },
        ...completionBudget(completions),
      ],
      warnings: unsteady([
        { what: 'creating a tenant', rounds: hosts.map(({ tenantMs }) => tenantMs) },
        { what: 'key set, MSW', rounds: hosts.map(({ msw }) => msw) },
      ]),
      data: { hosts, completions },
    }
  },
}

/** Grows with n, not N: among many more it may take a little longer, as caches are larger. */
const completionBudget = (completions: readonly Completion[]): Budget[] => {
  const [few, many] = [completions[0], completions.at(-1)]
  if (!few || !many || few === many) return []
  return [
    {
      what: `completing a task among ${many.others} tokens, of the time among ${few.others}`,
      unit: '×',
      atMost: 3,
      rounds: [many.tenMs / few.tenMs],
    },
  ]
}
