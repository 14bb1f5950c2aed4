import { describe, expect, it } from 'vitest'
import { jwtsIn, replaceJwts } from '../../../server/wire/jwt-shape.ts'

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'

describe('text in the shape of a JWT', () => {
  it('is found at every position, any number of times', () => {
    expect(jwtsIn(`Bearer ${jwt}`)).toEqual([{ at: 7, jwt }])
    expect(jwtsIn(`a-${jwt}, "t":"${jwt}"`)).toEqual([
      { at: 2, jwt },
      { at: jwt.length + 9, jwt },
    ])
    expect(replaceJwts(`${jwt}.${jwt}&x=${jwt}`, '***')).toBe('***.***&x=***')
    expect(replaceJwts(`v1.a.${jwt}...${jwt}`, '***')).toBe('v1.a.***...***')
  })

  it('begins at eyJ and ends at the first character that no JWT has', () => {
    for (const around of [' ', '"', '/', ':', '@', '[', '`', '{', 'é', '+', '=', ',']) {
      expect(replaceJwts(`${around}${jwt}${around}x`, '***')).toBe(`${around}***${around}x`)
    }
    for (const inside of ['a', 'z', 'A', 'Z', '0', '9', '-', '_']) {
      expect(replaceJwts(`${jwt}${inside} x`, '***')).toBe('*** x')
    }
    expect(replaceJwts('', '***')).toBe('')
    expect(replaceJwts('eyJ', '***')).toBe('eyJ')
    expect(replaceJwts('a.b.c', '***')).toBe('a.b.c')
  })

  it('has three parts, or as many as requested', () => {
    expect(replaceJwts('eyJhbGci.e30.', '***')).toBe('***')
    expect(replaceJwts('eyJhbGci.e30', '***')).toBe('eyJhbGci.e30')
    expect(replaceJwts('eyJhbGci.e30', '***', 2)).toBe('***')
    expect(replaceJwts('xeyJa.b.c eyJ.b.c eyJa..c', '***')).toBe('xeyJa.b.c eyJ.b.c eyJa..c')
  })
})
