import { Type } from '@sinclair/typebox'

const time = '2026-01-31T12:00:00.000Z'
const generationId = '0198c0de-0000-7000-8000-000000000001'
const positionToken = 'eventstore.order:3:42'

const timestampSchema = Type.String({ description: 'ISO 8601, UTC, milliseconds', examples: [time] })
const positionSchema = Type.String({
  maxLength: 300,
  description: 'Place in the log, `topic:partition:offset`',
  examples: [positionToken],
})
const nameSchema = Type.String({ description: 'Of the projection', examples: ['customer-lifetime'] })
const keySchema = Type.String({ description: 'Of the view', examples: ['customer-42'] })
const generationSchema = Type.String({ description: 'Of a generation', examples: [generationId] })
const count = (description: string) => Type.Integer({ minimum: 0, description })

export const projectionParams = Type.Object({ name: nameSchema })
export const viewParams = Type.Object({ name: nameSchema, key: keySchema })
export const generationParams = Type.Object({ name: nameSchema, id: generationSchema })

const viewOptions = {
  after: Type.Optional(
    Type.String({
      description:
        "Wait until the event at this position is applied: an append's `position`, so that callers read their own writes",
      examples: [positionToken],
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({ minimum: 1, description: 'How long to wait for it; the server has a bound of its own' }),
  ),
  generation: Type.Optional(
    Type.String({ description: 'Another one than serves: a look at the past', examples: [generationId] }),
  ),
}

export const viewQuery = Type.Object(viewOptions, { additionalProperties: false })

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'Default 100' }))

export const viewsQuery = Type.Object(
  {
    ...viewOptions,
    orderBy: Type.Optional(
      Type.String({ description: 'A declared index; default: by key', examples: ['spend'] }),
    ),
    desc: Type.Optional(Type.Boolean({ description: 'The largest first' })),
    limit,
    cursor: Type.Optional(Type.String({ description: '`next` of the page before' })),
  },
  { additionalProperties: false },
)

export const viewSubscribeQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ description: 'Right after which change to begin; default: all views as they are now' }),
    ),
    fromNow: Type.Optional(Type.Boolean({ description: 'Only what changes from now on' })),
    key: Type.Optional(Type.String({ description: 'Only this view' })),
  },
  { additionalProperties: false },
)

export const deadLettersQuery = Type.Object(
  { offset: Type.Optional(count('How many to pass over')), limit },
  { additionalProperties: false },
)

export const rebuildBody = Type.Object(
  {
    untilTime: Type.Optional(
      Type.String({
        description: 'A look at the past: events before this time, ISO 8601',
        maxLength: 100,
        examples: [time],
      }),
    ),
    untilPosition: Type.Optional(
      Type.String({
        maxLength: 300,
        description: 'A look at the past: up to and with the event at this position, elsewhere by its time',
        examples: [positionToken],
      }),
    ),
  },
  { additionalProperties: false },
)

const positionsSchema = Type.Array(positionSchema, { minItems: 1, maxItems: 1_000 })

export const retryBody = Type.Object(
  { positions: Type.Optional(positionsSchema) },
  { additionalProperties: false, description: 'Default: the oldest 1,000' },
)

export const dropBody = Type.Object({ positions: positionsSchema }, { additionalProperties: false })

const viewProperties = {
  key: keySchema,
  view: Type.Unknown({ examples: [{ purchases: 3, spend: '79.85' }] }),
  changedAt: timestampSchema,
}

export const viewSchema = Type.Object(viewProperties, { description: 'The view' })

export const viewsPageSchema = Type.Object(
  {
    views: Type.Array(Type.Object(viewProperties)),
    next: Type.Optional(Type.String({ description: 'Cursor of the next page; absent on the last' })),
  },
  { description: 'A page' },
)

const partitionSchema = Type.Object({
  topic: Type.String({ examples: ['eventstore.order'] }),
  partition: Type.Integer({ minimum: 0 }),
  checkpoint: count('Next offset that is not applied yet'),
  lag: count('Offsets up to the end of the log; 0: caught up'),
  stopped: Type.Optional(
    Type.Object(
      { position: positionSchema, error: Type.String(), since: timestampSchema },
      { description: 'Why it stands still until `resume`' },
    ),
  ),
})

const generationInfoSchema = Type.Object({
  id: generationSchema,
  status: Type.Unsafe<string>({
    type: 'string',
    enum: ['building', 'serving', 'kept', 'retired'],
    description:
      '`building` catches up, `serving` is what readers get, `kept` is a look at the past, `retired` is being taken away',
  }),
  viewVersion: Type.Integer(),
  createdAt: timestampSchema,
  damage: Type.Optional(
    Type.String({ description: 'What was dropped or emptied of it; another one takes its place' }),
  ),
  views: count('How many it has'),
  deadLetters: count('Events that were set aside'),
  progress: Type.Object(
    {
      done: count('Offsets that are behind it'),
      total: count('Of how many'),
      rate: Type.Number({ description: 'Per second since it was created' }),
      etaSeconds: Type.Optional(
        Type.Number({ description: 'Absent where nothing moves, or nothing is left' }),
      ),
    },
    { description: 'Counted in offsets: events, and now and then a marker' },
  ),
  partitions: Type.Array(partitionSchema),
})

const projectionProperties = {
  name: nameSchema,
  sources: Type.Array(Type.String({ description: 'Aggregate type', examples: ['order'] })),
  keyedBy: Type.Unsafe<string>({ type: 'string', enum: ['stream', 'across'] }),
  viewVersion: Type.Integer(),
  indexes: Type.Array(Type.String()),
  serving: Type.Optional(
    Type.String({ description: 'The generation that readers get', examples: [generationId] }),
  ),
  generations: Type.Array(generationInfoSchema),
  waitForOperator: Type.Optional(
    Type.Array(
      Type.Object({
        topic: Type.String({ examples: ['eventstore.order'] }),
        partition: Type.Optional(Type.Integer({ minimum: 0, description: 'Absent: all of the topic' })),
        state: Type.String({ examples: ['log-replaced'] }),
        reason: Type.String({ description: 'What happened, and what to do' }),
      }),
      { description: 'Sources that are not read until an operator acts; absent where there are none' },
    ),
  ),
}

export const projectionSchema = Type.Object(projectionProperties, { description: 'The projection' })

export const projectionsSchema = Type.Object(
  { projections: Type.Array(Type.Object(projectionProperties)) },
  { description: 'All projections' },
)

export const rebuildSchema = Type.Object(
  { generation: generationSchema },
  { description: 'Started: the projection reports its progress' },
)

export const resumeSchema = Type.Object(
  { resumed: count('How many partitions were stopped') },
  { description: 'They go on' },
)

const deadLetterSchema = Type.Object({
  position: positionSchema,
  error: Type.String({ description: 'Why it could not be applied' }),
  at: timestampSchema,
})

export const deadLettersSchema = Type.Object(
  { deadLetters: Type.Array(deadLetterSchema) },
  { description: 'Of the serving generation, oldest first' },
)

export const retrySchema = Type.Object(
  {
    applied: count('How many are applied now'),
    failed: Type.Array(deadLetterSchema, { description: 'Those that failed again; they stay' }),
  },
  { description: 'What became of them' },
)

export const dropSchema = Type.Object(
  { dropped: count('How many were given up') },
  { description: 'They are dropped permanently' },
)
