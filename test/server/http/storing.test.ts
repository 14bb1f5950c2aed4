import { describe, expect, it } from 'vitest'
import { issuerWorld } from './issuer/world.ts'

describe('an answer', () => {
  it.each(['/me', '/agents/me', '/ssf/stream'])(
    'that is for the bearer alone is never stored: GET %s',
    async (path) => {
      const { request } = await issuerWorld()

      await request.get(path).expect('cache-control', 'no-store')
    },
  )

  it('that anybody may have says nothing of storing', async () => {
    const { anonymous } = await issuerWorld()

    const { headers } = await anonymous.get('/.well-known/ssf-configuration')

    expect(headers['cache-control']).toBeUndefined()
  })
})
