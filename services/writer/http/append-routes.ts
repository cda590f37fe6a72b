import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

import { streamResource } from '#access'
import {
  type AppendResult,
  deriveEventId,
  type ExpectedVersion,
  identifyEvents,
  type NewEvent,
  type StreamId,
} from '#domain'
import { type AppendLimits, type AppendRequest, EventStoreError } from '#event-store'
import {
  compileValidator,
  type HttpRoutes,
  onEachStream,
  onStream,
  problemOf,
  problemResponses,
  refusalOf,
} from '#http'
import { contextOf } from '#service'

import { checkItems, countAppends, countEvents } from './append-bounds.ts'
import {
  appendBodySchema,
  appendResultSchema,
  appendsBodySchema,
  appendsResultSchema,
  streamParams,
} from './schemas.ts'
import { withUserId } from './user-id.ts'
import { toWireResult } from './wire.ts'
import type { WriterApi } from '../writer-api.ts'

const retriable = ['overloaded', 'unavailable', 'not-owner', 'outcome-unknown'] as const

const appendSchema = ({ eventsPerAppendMax }: AppendLimits) => ({
  tags: ['append'],
  summary: 'Append events to one stream',
  description:
    'All events are appended at contiguous versions, or none is. A retry with the same ids (or Idempotency-Key) returns the first result.',
  params: streamParams,
  headers: Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Ids of events without an id are derived from it',
      }),
    ),
  }),
  body: appendBodySchema(eventsPerAppendMax),
  response: {
    201: appendResultSchema('Appended'),
    200: appendResultSchema('These events were already appended; this is the first result'),
    ...problemResponses(
      ...(['invalid-request', 'invalid-event', 'unknown-event-type', 'append-too-large'] as const),
      ...(['category-not-found', 'wrong-expected-version', 'partial-duplicate'] as const),
      ...retriable,
    ),
  },
})

const appendsSchema = ({ eventsPerAppendMax }: AppendLimits) => ({
  tags: ['append'],
  summary: 'Append to many streams in one request',
  description: 'Each append is independent: one may be rejected and the next accepted.',
  body: appendsBodySchema(eventsPerAppendMax),
  response: {
    200: appendsResultSchema,
    ...problemResponses('invalid-request', 'append-too-large', ...retriable),
  },
})

/** Describes only the list. Each append is validated separately, so an invalid one does not fail the others. */
const envelopeSchema = Type.Object(
  { appends: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { additionalProperties: false },
)

export const appendRoutes = (api: WriterApi, limits: AppendLimits): HttpRoutes =>
  function routes(app) {
    const one = {
      schema: appendSchema(limits),
      preValidation: countEvents(limits),
      config: { access: onStream('append') },
    }
    app.post('/streams/:id/events', one, async (request, reply) => {
      const { params, body, headers } = request
      const streamId = params.id as StreamId
      const given = identified(streamId, body.events as NewEvent[], headers['idempotency-key'])
      const events = withUserId(request, given)
      const options =
        'expectedVersion' in body ? { expectedVersion: body.expectedVersion as ExpectedVersion } : {}
      const result = await api.append(streamId, events, options, contextOf(request))
      return reply.code(result.duplicate ? 200 : 201).send(toWireResult(result))
    })

    const check = checkItems(limits)
    app.post(
      '/appends',
      {
        schema: appendsSchema(limits),
        preValidation: countAppends,
        config: { access: onEachStream('append') },
        validatorCompiler: (part) => compileValidator({ ...part, schema: envelopeSchema }),
      },
      async (request) => {
        const { appends } = request.body
        const { requests, refusals } = check(appends)
        const entered = requests.map((append) => admitted(request, append))
        const accepted = entered.filter((append) => !(append instanceof EventStoreError)) as AppendRequest[]
        const answers = accepted.length === 0 ? [] : await api.appendMany(accepted, contextOf(request))
        const outcomes = inOrder(entered, answers)
        let next = 0
        const results = appends.map((_, index) => resultOf(refusals.get(index) ?? outcomes[next++], request))
        return { results }
      },
    )
    return Promise.resolve()
  }

const identified = (
  streamId: string,
  events: readonly NewEvent[],
  key: string | undefined,
): readonly NewEvent[] =>
  key === undefined ? events : identifyEvents(events, (index) => deriveEventId(streamId, key, index))

/** An append of a list as its caller may send it, or the reason why not. */
function admitted(request: FastifyRequest, append: AppendRequest): AppendRequest | EventStoreError {
  const refusal = refusalOf(request, ['append'], streamResource(append.streamId))
  if (refusal !== undefined) return refusal
  try {
    return { ...append, events: withUserId(request, append.events) }
  } catch (error) {
    if (error instanceof EventStoreError) return error
    throw error
  }
}

/** Puts the answers to the accepted appends between the rejections. */
function inOrder<Answer>(
  entered: readonly (AppendRequest | EventStoreError)[],
  answers: readonly Answer[],
): readonly (Answer | EventStoreError | undefined)[] {
  let next = 0
  return entered.map((append) => (append instanceof EventStoreError ? append : answers[next++]))
}

const resultOf = (answer: AppendResult | EventStoreError | undefined, request: FastifyRequest) =>
  answer === undefined || answer instanceof EventStoreError
    ? problemOf(answer, request)
    : { status: answer.duplicate ? 200 : 201, ...toWireResult(answer) }
