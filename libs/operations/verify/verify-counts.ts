/** What was verified. */
export interface VerifyCounts {
  partitions: number
  streams: number
  events: number
  /** Records that are not events, because no owner appended them. */
  strays: number
  /** Partitions whose log lost its head, which an operator has accepted. */
  headsAccepted: number
  /** Snapshots found equal to the fold of their events. */
  snapshots: number
  /** Snapshots that are not used, because of their state version or topic. */
  snapshotsOutdated: number
  generations: number
  views: number
  /** Views that changed while they were read. */
  viewsUnderWay: number
  /** Projections whose views were not compared, and why. */
  readonly viewsLeftOut: string[]
}

export const noCounts = (): VerifyCounts => ({
  partitions: 0,
  streams: 0,
  events: 0,
  strays: 0,
  headsAccepted: 0,
  snapshots: 0,
  snapshotsOutdated: 0,
  generations: 0,
  views: 0,
  viewsUnderWay: 0,
  viewsLeftOut: [],
})
