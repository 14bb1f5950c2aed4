import { expect, it } from 'vitest'
import { holds } from './model.ts'

it('whatever agents, approvers and time do, the rules do as a model of them says', () => {
  expect(() => holds(200)).not.toThrow()
}, 60_000)
