/**
 * The tests that each folder is measured by, in this order, since the first failure ends a run: its
 * own, and those that reach it over HTTP. The random ones that take long are excluded, as a mutant
 * that only they find would be found one time and not another. So are those that measure time, since
 * instrumented code takes longer.
 */
export const tests: Readonly<Record<string, readonly string[]>> = {
  'server/issuer': [
    'test/server/issuer/**/!(model|properties).test.ts',
    'test/server/http/issuer/{jit,agents,signals}.test.ts',
    'test/server/http/issuer/oauth/*.test.ts',
  ],
  'server/api': ['test/server/api/*.test.ts', 'test/server/express/express-guard.test.ts'],
  client: ['test/client/!(readme).test.ts', 'test/client/tools/*.test.ts'],
  'server/wire': [
    'test/server/wire/!(linear-time).test.ts',
    'test/server/wire/{openapi/document,routes/*}.test.ts',
    'test/server/node-version.test.ts',
    'test/server/issuer/{journal,kept-bytes}.test.ts',
    'test/server/issuer/policy/policy.test.ts',
    'test/server/api/*.test.ts',
    'test/scenarios/language/load.test.ts',
  ],
}
