import { expect, it } from 'vitest'
import { holds } from './model.ts'

it('the rules agree with an independent model, whatever agents, approvers and time do', () => {
  expect(() => holds(200)).not.toThrow()
}, 60_000)
