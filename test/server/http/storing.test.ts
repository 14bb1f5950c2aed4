import { describe, expect, it } from 'vitest'
import { issuerWorld } from './issuer-world.ts'

describe('an answer', () => {
  it.each(['GET /me', 'GET /agents/me', 'GET /ssf/stream'])(
    'that is for the bearer alone is never stored: %s',
    async (call) => {
      const { ask, agent } = await issuerWorld()

      expect((await ask(call, { token: agent })).headers.get('cache-control')).toBe('no-store')
    },
  )

  it('that anybody may have says nothing of storing', async () => {
    const { ask } = await issuerWorld()

    const { headers } = await ask('GET /.well-known/ssf-configuration', {})

    expect(headers.get('cache-control')).toBeNull()
  })
})
