import { Type } from '@sinclair/typebox'

const time = '2026-01-31T12:00:00.000Z'

export const snapshotStreamParams = Type.Object({
  id: Type.String({ description: '`{aggregateType}.{aggregateId}`', examples: ['order.order-42'] }),
})
export const typeParams = Type.Object({
  type: Type.String({ description: 'Aggregate type', examples: ['order'] }),
})

const countSchema = (description: string) => Type.Integer({ minimum: 0, description })
const timeSchema = (description: string) =>
  Type.Optional(Type.String({ description: `${description}: ISO 8601`, examples: [time] }))

export const takenSchema = (description: string) =>
  Type.Object(
    {
      streamId: Type.String({ examples: ['order.order-42'] }),
      version: countSchema('Of the stream at the snapshot'),
      stateVersion: countSchema('Of the aggregate'),
      bytes: countSchema('Of the encoded state'),
      tookMs: countSchema('Time to load, fold and store'),
      created: Type.Boolean({ description: 'False: a snapshot of this version existed already' }),
    },
    { description },
  )

export const snapshotRebuildSchema = Type.Object(
  {
    status: Type.Union([Type.Literal('none'), Type.Literal('running'), Type.Literal('done')]),
    startedAt: timeSchema('When it was requested'),
    done: countSchema('Offsets of the log that are processed'),
    total: countSchema('Offsets of the log when the rebuild was requested'),
    rate: Type.Number({ description: 'Per second' }),
    etaSeconds: Type.Optional(Type.Number({ description: 'Remaining time at this rate' })),
  },
  { description: 'The progress of the rebuild' },
)

const statisticsSchema = Type.Object({
  aggregateType: Type.String({ examples: ['order'] }),
  every: countSchema('Events between two snapshots'),
  stateVersion: countSchema('Only snapshots of this state version count'),
  count: countSchema('Streams that have a snapshot'),
  outdated: countSchema('Streams whose snapshot has another state version'),
  bytes: countSchema('Total of all states, before compression by Kafka'),
  oldest: timeSchema('When the oldest was taken'),
  newest: timeSchema('When the newest was taken'),
  builds: Type.Object(
    { count: countSchema('Snapshots built'), meanMs: Type.Number(), maxMs: Type.Number() },
    { description: 'Snapshots built by the answering instance since its start' },
  ),
  rebuild: snapshotRebuildSchema,
})

export const snapshotsSchema = Type.Object(
  { types: Type.Array(statisticsSchema) },
  { description: 'Statistics of each aggregate type with snapshots; counts may be ten seconds old' },
)

export const cleanupSchema = Type.Object(
  { aggregateType: Type.String({ examples: ['order'] }), removed: countSchema('Removed snapshots') },
  { description: 'The result of the clean-up' },
)
