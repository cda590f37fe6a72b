/**
 * What a principal may do with a resource:
 * - `append` events to a stream;
 * - `read` the events of a stream, or those of a category;
 * - `subscribe` to a category;
 * - `state`: read the state of an aggregate;
 * - `view`: read a projection's views and subscribe to their changes;
 * - `operate`: take and rebuild snapshots, rebuild projections, retry and drop dead letters, read metrics;
 * - `administer` the installation: change access;
 * - `annals:act-as`: append in the name of another user.
 */
export const actions = [
  'append',
  'read',
  'subscribe',
  'state',
  'view',
  'operate',
  'administer',
  'annals:act-as',
] as const

export type Action = (typeof actions)[number]
