import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyReply, FastifyRequest } from 'fastify'

import {
  type AppendLimits,
  type AppendRequest,
  appendsPerRequestMax,
  EventStoreError,
  eventsPerRequestMax,
  tooManyEvents,
} from '#event-store'
import { violation } from '#http'

import { appendItemSchema } from './schemas.ts'

type Check = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

/** Checks the number of events of an append before they are validated. */
export const countEvents =
  (limits: AppendLimits): Check =>
  ({ body }, _reply, done) =>
    done(tooManyEvents(memberOf(body, 'events'), limits))

/** Checks the number of appends of a request before they are validated. */
export const countAppends: Check = ({ body }, _reply, done) => {
  const appends = memberOf(body, 'appends')
  const count = Array.isArray(appends) ? appends.length : 0
  done(count > appendsPerRequestMax ? tooMany('appends', count, appendsPerRequestMax) : undefined)
}

const memberOf = (body: unknown, name: string): unknown =>
  (body as Partial<Record<string, unknown>> | null)?.[name]

/** The appends of a request: the valid ones in order, and the errors of the others by index. */
interface CheckedItems {
  readonly requests: readonly AppendRequest[]
  readonly refusals: ReadonlyMap<number, EventStoreError>
}

/** @returns a check that validates each append separately. It throws `append-too-large` if they have too many events in total. */
export function checkItems(limits: AppendLimits): (appends: readonly unknown[]) => CheckedItems {
  const item = TypeCompiler.Compile(appendItemSchema(limits.eventsPerAppendMax))
  const eventsMax = Math.max(eventsPerRequestMax, limits.eventsPerAppendMax)
  const refusalOf = (append: unknown) =>
    tooManyEvents(memberOf(append, 'events'), limits) ??
    (item.Check(append) ? undefined : violation(item, append))
  return (appends) => {
    const requests: AppendRequest[] = []
    const refusals = new Map<number, EventStoreError>()
    let events = 0
    for (const [index, append] of appends.entries()) {
      const refusal = refusalOf(append)
      if (refusal !== undefined) {
        refusals.set(index, refusal)
        continue
      }
      requests.push(append as AppendRequest)
      events += requests.at(-1)?.events.length ?? 0
    }
    if (events > eventsMax) throw tooMany('events', events, eventsMax)
    return { requests, refusals }
  }
}

const tooMany = (what: string, count: number, max: number) =>
  new EventStoreError(
    'append-too-large',
    `the request has ${count} ${what}: expected at most ${max}; send the rest in further requests`,
    { path: 'appends' },
  )
