/** The setting of a topic with this many replicas: how many must have a record before it is acknowledged. */
export const inSync = (replication: number): Readonly<Record<string, string>> => ({
  'min.insync.replicas': replication === 1 ? '1' : '2',
})
