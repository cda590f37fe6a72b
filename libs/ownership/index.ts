export { endsTerm, isFenced } from './ends-term.ts'
export { addOwnershipGauges } from './ownership-gauges.ts'
export type { OwnedPartition } from './owned-partition.ts'
export {
  type Membership,
  PartitionGroup,
  type PartitionGroupOptions,
  type ServingReport,
} from './partition-group.ts'
export { Renewal } from './renewal.ts'
export { TakeOverPace } from './take-over-pace.ts'
export { TermLoop, type TermLoopOptions } from './term-loop.ts'
export type { TermContext, TermWork } from './term-work.ts'
export { unavailable } from './unavailable.ts'
