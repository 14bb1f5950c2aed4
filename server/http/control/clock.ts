import type { MoveClock } from '../../wire/index.ts'
import { isoTime } from '../iso-time.ts'
import { type Handlers, ok } from '../message.ts'
import { answerWith } from '../refusals.ts'
import { advanceClock } from '../tenant/advance-clock.ts'
import type { TenantContext } from '../tenant/tenant-context.ts'
import type { ControlContext } from './context.ts'

export const clockHandlers: Handlers<'control.clock.read' | 'control.clock.move', ControlContext> =
  {
    'control.clock.read': ({ context }) => ok(readClock(context())),
    'control.clock.move': ({ context, body }) => {
      moveClock(context(), body)
      return ok(readClock(context()))
    },
  }

/** @throws {HttpError} 400 for a time in the past */
export const moveClock = (context: TenantContext, to: MoveClock): void => {
  const { clock } = context.tenant
  const by = 'advance' in to ? to.advance : Date.parse(to.set) / 1000 - clock.now()
  if (by < 0) answerWith(400, 'invalid_request', 'cannot move the clock backwards')
  if (clock.now() + by > lastMoment) {
    answerWith(400, 'invalid_request', 'expected a time before the year 9900')
  }
  advanceClock(context, by)
}

/** Leaves a hundred years of lifetimes before the year 9999, the last that RFC 3339 can write. */
const lastMoment = Date.UTC(9899, 11, 31) / 1000

export const readClock = ({ tenant: { clock } }: TenantContext) => ({
  now: isoTime(clock.now()),
  epoch: clock.now(),
})
