import { it } from 'vitest'
import { holds } from '../server/issuer/model.ts'
import { figure } from '../support/figure.ts'
import { size } from './sizes.ts'

const sequences = size('MODEL_SEQUENCES', 1000, 10_000)

it('the rules agree with an independent model, whatever agents, approvers and time do', () => {
  holds(sequences)

  figure('sequences of commands against the model', { sequences, deviations: 0 })
})
