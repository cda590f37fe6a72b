/** Bounds on what may happen, and how often: -D of the model; see write-path.pml and projection.pml. */
type Bounds = Readonly<Partial<Record<Bound, number>>>
type Bound =
  'TERMS' | 'CRASHES' | 'LOSSES' | 'FLUSHES' | 'RESTORES' | 'MISSES' | 'TRIES' | 'FORGETS' | 'STRAYS'

export interface ModelRun {
  readonly name: string
  /** Default: `write-path`. */
  readonly model?: 'write-path' | 'projection'
  readonly bounds: Bounds
  readonly reads?: boolean
  /** The promise that must be violated, because a part is left out on purpose. */
  readonly broken?: string
  /** Takes half a minute: `npm run test:proof` checks it, not CI. */
  readonly isLong?: boolean
}

/** All promises hold, whatever happens within the bounds. */
const sound: readonly ModelRun[] = [
  { name: 'three take-overs', bounds: { TERMS: 3, TRIES: 2 } },
  { name: 'a crash and a retry, three take-overs', bounds: { TERMS: 3, CRASHES: 1, TRIES: 2 } },
  { name: 'a request or its answer lost, three take-overs', bounds: { TERMS: 3, LOSSES: 1 } },
  { name: 'a crash, a lost request and a retry', bounds: { CRASHES: 1, LOSSES: 1, TRIES: 2 } },
  { name: 'Redis emptied, three take-overs', bounds: { TERMS: 3, FLUSHES: 1 } },
  { name: 'Redis restored from an older copy', bounds: { RESTORES: 1, TRIES: 2 } },
  {
    name: 'all of it but the older copy',
    bounds: { CRASHES: 1, LOSSES: 1, FLUSHES: 1, MISSES: 1, TRIES: 2 },
    isLong: true,
  },
  { name: 'a crash, Redis emptied, a missed commit', bounds: { CRASHES: 1, FLUSHES: 1, MISSES: 1 } },
  {
    name: 'all of it',
    bounds: { CRASHES: 1, LOSSES: 1, FLUSHES: 1, RESTORES: 1, MISSES: 1 },
    isLong: true,
  },
  { name: 'a forgotten id, three take-overs', bounds: { TERMS: 3, FORGETS: 1, TRIES: 2 }, isLong: true },
  { name: 'a forgotten id', bounds: { FORGETS: 1, TRIES: 2 } },
  { name: 'a forgotten id, a lost request', bounds: { FORGETS: 1, LOSSES: 1, TRIES: 2 } },
  { name: 'a forgotten id, a crash, Redis emptied', bounds: { FORGETS: 1, CRASHES: 1, FLUSHES: 1 } },
  { name: 'the next version by a stranger, three take-overs', bounds: { TERMS: 3, STRAYS: 1 } },
  { name: 'reads beside a forgotten id', bounds: { FORGETS: 1, TRIES: 2 }, reads: true, isLong: true },
  { name: 'reads beside three take-overs', bounds: { TERMS: 3 }, reads: true },
  { name: 'reads beside a missed commit', bounds: { MISSES: 1, TRIES: 2 }, reads: true },
  {
    name: 'reads of one owner, Redis emptied and restored',
    bounds: { TERMS: 1, FLUSHES: 1, RESTORES: 1 },
    reads: true,
  },
  {
    name: 'reads of one owner, a crash, a lost request, Redis emptied and restored',
    bounds: { TERMS: 1, CRASHES: 1, LOSSES: 1, FLUSHES: 1, RESTORES: 1, TRIES: 2 },
    reads: true,
    isLong: true,
  },
  {
    name: 'a projection, two projectors, crashes and an older copy',
    model: 'projection',
    bounds: { CRASHES: 2, RESTORES: 1 },
  },
]

const broken: readonly ModelRun[] = [
  { name: 'no wait for the marker', broken: 'NO_WAIT_FOR_MARKER', bounds: {} },
  { name: 'no fence', broken: 'NO_FENCE', bounds: {} },
  { name: 'guard ignored, Redis emptied', broken: 'GUARD_IGNORED', bounds: { TERMS: 1, FLUSHES: 1 } },
  { name: 'guard ignored, Redis restored', broken: 'GUARD_IGNORED', bounds: { TERMS: 1, RESTORES: 1 } },
  { name: 'sequence bumped on retry', broken: 'SEQUENCE_BUMPED', bounds: { TERMS: 1, LOSSES: 1 } },
  { name: 'dedupe forgotten after a take-over', broken: 'DEDUPE_FORGOTTEN', bounds: { TRIES: 2 } },
  { name: 'refused for an event that is not in the log yet', broken: 'REFUSED_EARLY', bounds: {} },
  { name: 'rule left out, an id forgotten', broken: 'RULE_LEFT_OUT', bounds: { FORGETS: 1 } },
  { name: 'rule left out, a stranger writes', broken: 'RULE_LEFT_OUT', bounds: { TERMS: 1, STRAYS: 1 } },
  {
    name: 'acknowledged wherever it landed, an id forgotten',
    broken: 'LANDING_UNCHECKED',
    bounds: { FORGETS: 1 },
  },
  {
    name: 'index claimed from a later owner',
    broken: 'CLAIM_REGARDLESS',
    bounds: { MISSES: 1, TRIES: 2 },
    reads: true,
  },
  { name: 'an index read without its offset', broken: 'READ_WITHOUT_OFFSET', bounds: {}, reads: true },
  { name: 'memory read without a lease', broken: 'LEASE_IGNORED', bounds: {}, reads: true },
  { name: 'stored ids not read at a take-over', broken: 'IDS_NOT_READ', bounds: { TRIES: 2 } },
  { name: 'index of a later owner dropped', broken: 'DROP_REGARDLESS', bounds: {}, reads: true },
  { name: 'checkpoint stored before views', model: 'projection', broken: 'CHECKPOINT_FIRST', bounds: {} },
  { name: 'checkpoint stored after views', model: 'projection', broken: 'VIEWS_FIRST', bounds: {} },
  { name: 'checkpoint not compared', model: 'projection', broken: 'NOT_COMPARED', bounds: {} },
]

export const modelRuns: readonly ModelRun[] = [...sound, ...broken]
