import { describe, expect, it } from 'vitest'
import { issuerWorld } from './issuer/world.ts'

describe('cache-control', () => {
  it.each(['/me', '/agents/me', '/ssf/stream'])(
    'is no-store on responses for one caller: GET %s',
    async (path) => {
      const { request } = await issuerWorld()

      await request.get(path).expect('cache-control', 'no-store')
    },
  )

  it('is absent on public metadata', async () => {
    const { anonymous } = await issuerWorld()

    const { headers } = await anonymous.get('/.well-known/ssf-configuration')

    expect(headers['cache-control']).toBeUndefined()
  })
})
