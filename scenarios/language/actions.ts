import type { Action } from './action.ts'
import { agentActions } from './actions/agent.ts'
import { apiActions } from './actions/api.ts'
import { peopleActions } from './actions/approvals.ts'
import { lookingActions } from './actions/assertions.ts'
import { worldActions } from './actions/control.ts'
import { orderActions } from './actions/control-flow.ts'

/** All actions of the language. */
export const actions = {
  ...agentActions,
  ...peopleActions,
  ...apiActions,
  ...worldActions,
  ...lookingActions,
  ...orderActions,
} satisfies Record<string, Action>

export type Word = keyof typeof actions

export const isWord = (key: string): key is Word => Object.hasOwn(actions, key)
