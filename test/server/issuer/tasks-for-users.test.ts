import { describe, expect, it } from 'vitest'
import { alice, bob, errorOf, world } from './world.ts'

describe('a task on behalf of a user', () => {
  it('is refused to the delegated token of another user', () => {
    const { open } = world()

    expect(errorOf(() => open({ onBehalfOf: alice.email, delegatedBy: bob.id }))).toBe(
      'delegation_not_allowed',
    )
  })

  it('is refused below a task for another user', () => {
    const { open } = world()
    const parentTaskId = open({ onBehalfOf: alice.email }).id

    expect(errorOf(() => open({ parentTaskId, onBehalfOf: bob.email }))).toBe(
      'delegation_not_allowed',
    )
    expect(open({ parentTaskId, onBehalfOf: alice.email }).onBehalfOf).toBe(alice.id)
  })

  it('is for the user of the delegated token by default', () => {
    const { open } = world()

    expect(open({ delegatedBy: alice.id }).onBehalfOf).toBe(alice.id)
  })
})
