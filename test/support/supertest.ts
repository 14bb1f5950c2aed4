import supertest from 'supertest'
import { expect } from 'vitest'

/**
 * supertest, with `.expect(…)` counted as an assertion of the running test: Vitest fails a test
 * without assertions (`requireAssertions`) and counts only its own `expect`.
 */
export { supertest }

export type Response = supertest.Response

const test = supertest.Test.prototype
const addCheck = test.expect as (this: supertest.Test, ...checks: unknown[]) => supertest.Test

/** Counts once the response has arrived and passed the check. */
const countAssertion = () => {
  expect.setState({ assertionCalls: expect.getState().assertionCalls + 1 })
}

test.expect = function (this: supertest.Test, ...checks: unknown[]) {
  addCheck.apply(this, checks)
  return addCheck.call(this, countAssertion)
}
