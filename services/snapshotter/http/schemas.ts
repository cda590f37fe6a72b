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
      version: countSchema('Of the stream, as it was'),
      stateVersion: countSchema('Of the aggregate'),
      bytes: countSchema('Of the encoded state'),
      tookMs: countSchema('Loading, folding and storing'),
      created: Type.Boolean({ description: 'False: this version had its snapshot already' }),
    },
    { description },
  )

export const snapshotRebuildSchema = Type.Object(
  {
    status: Type.Union([Type.Literal('none'), Type.Literal('running'), Type.Literal('done')]),
    startedAt: timeSchema('When it was asked for'),
    done: countSchema('Offsets of the log that have been gone through'),
    total: countSchema('Offsets of the log as it was when the rebuild was asked for'),
    rate: Type.Number({ description: 'Per second' }),
    etaSeconds: Type.Optional(Type.Number({ description: 'Until it is done, at this rate' })),
  },
  { description: 'How far the rebuild is' },
)

const statisticsSchema = Type.Object({
  aggregateType: Type.String({ examples: ['order'] }),
  every: countSchema('Events between two snapshots'),
  stateVersion: countSchema('Only snapshots of this state version count'),
  count: countSchema('Streams that have a snapshot'),
  outdated: countSchema('Of these, the ones of other state versions'),
  bytes: countSchema('Of all states together, before Kafka compresses them'),
  oldest: timeSchema('When the oldest was taken'),
  newest: timeSchema('When the newest was taken'),
  builds: Type.Object(
    { count: countSchema('Snapshots built'), meanMs: Type.Number(), maxMs: Type.Number() },
    { description: 'What the instance that answers has built since it started' },
  ),
  rebuild: snapshotRebuildSchema,
})

export const snapshotsSchema = Type.Object(
  { types: Type.Array(statisticsSchema) },
  { description: 'Of each aggregate type that has snapshots; counts may be ten seconds old' },
)

export const cleanupSchema = Type.Object(
  { aggregateType: Type.String({ examples: ['order'] }), removed: countSchema('Snapshots taken out') },
  { description: 'What was cleaned up' },
)
