import { it } from 'vitest'
import { holds } from './model.ts'

it('whatever agents, approvers and time do, the rules do as a model of them says', () => {
  holds(200)
}, 60_000)
