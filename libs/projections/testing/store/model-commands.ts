import fc from 'fast-check'

import type { GenerationStatus } from '../../view-store/generation.ts'

/** The revision that a change claims to be made from. `earlier`: a former revision of the view, or one that it never had. */
export type Claim = 'now' | 'absent' | 'earlier'

/** The checkpoint that a step claims to be made from. */
export type From = 'right' | 'none' | 'wrong'

export interface ModelChange {
  readonly key: string
  /** Null deletes. */
  readonly n: number | null
  readonly claim: Claim
  readonly figure: number
  readonly expiresInMs: number | undefined
}

/** The generation that a command addresses: the newest of a status, or an unknown one. */
export type ModelTarget = GenerationStatus | 'unknown'

/** A command for both stores. Each store resolves the named revisions and checkpoints to its own. */
export type Command =
  | {
      readonly kind: 'add'
      readonly taken: boolean
      readonly viewVersion: number
      readonly kept: boolean
      readonly ifNeeded: boolean
      readonly topicId: string
    }
  | { readonly kind: 'switch' | 'retire' | 'discard'; readonly target: ModelTarget }
  | {
      readonly kind: 'commit'
      readonly target: ModelTarget
      readonly partition: number
      readonly from: From
      readonly steps: number
      readonly changes: readonly ModelChange[]
      readonly parks: boolean
      readonly parkedAtMs: number
    }
  | {
      readonly kind: 'applyParked'
      readonly target: ModelTarget
      readonly nth: number
      readonly changes: readonly ModelChange[]
    }
  | { readonly kind: 'dropParked'; readonly target: ModelTarget; readonly nth: number }
  | {
      readonly kind: 'markPublished'
      readonly target: ModelTarget
      readonly keys: readonly string[]
      readonly claim: Claim
    }
  | { readonly kind: 'expire'; readonly target: ModelTarget; readonly aheadMs: number }
  | {
      readonly kind: 'stop'
      readonly target: ModelTarget
      readonly partition: number
      readonly error: string
    }
  | { readonly kind: 'resume'; readonly partition: number | undefined }
  | {
      readonly kind: 'page'
      readonly target: ModelTarget | undefined
      readonly orderBy: 'spend' | undefined
      readonly descending: boolean
      readonly limit: number
      readonly cursor: { readonly key: string; readonly figure: number } | undefined
      readonly after: { readonly partition: number; readonly offset: number } | undefined
    }
  | { readonly kind: 'wait'; readonly ms: number }

export const modelKeys = ['a', 'b', 'é', '😀'] as const

const target = fc.oneof(
  { weight: 12, arbitrary: fc.constant<ModelTarget>('serving') },
  { weight: 4, arbitrary: fc.constant<ModelTarget>('building') },
  { weight: 2, arbitrary: fc.constantFrom<ModelTarget>('kept', 'retired') },
  { weight: 1, arbitrary: fc.constant<ModelTarget>('unknown') },
)
const key = fc.constantFrom(...modelKeys)
const partition = fc.constantFrom(0, 1)
const figure = fc.constantFrom(-2, -0.5, 0, 0.1, 1, 1)
const claim = fc.constantFrom<Claim>('now', 'now', 'now', 'now', 'now', 'now', 'absent', 'earlier')
const ms = fc.constantFrom(0, 1, 50, 100)

const changes = fc.uniqueArray(
  fc.record<ModelChange>({
    key,
    n: fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(null) }),
    claim,
    figure,
    expiresInMs: fc.option(ms, { nil: undefined, freq: 2 }),
  }),
  { selector: (change) => change.key, maxLength: 3 },
)

const kind = <Kind extends Command['kind']>(name: Kind) => fc.constant(name)

const adding = fc.record({
  kind: kind('add'),
  taken: fc.constantFrom(false, false, false, true),
  viewVersion: fc.constantFrom(1, 2, 3),
  kept: fc.constantFrom(false, false, false, true),
  ifNeeded: fc.boolean(),
  topicId: fc.constantFrom('one', 'one', 'one', 'another'),
})

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: adding },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('switch'),
      target: fc.constantFrom<ModelTarget>('building', 'building', 'building', 'serving', 'kept'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('retire'), target }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('discard'),
      target: fc.constantFrom<ModelTarget>('retired', 'retired', 'serving'),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      kind: kind('commit'),
      target,
      partition,
      from: fc.constantFrom<From>('right', 'right', 'right', 'right', 'right', 'right', 'none', 'wrong'),
      steps: fc.constantFrom(1, 2, 10),
      changes,
      parks: fc.boolean(),
      parkedAtMs: fc.constantFrom(9, 10, 100),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('applyParked'), target, nth: fc.nat(3), changes }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('dropParked'), target, nth: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('markPublished'), target, keys: fc.uniqueArray(key), claim }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('expire'), target, aheadMs: ms }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('stop'), target, partition, error: fc.constantFrom('broken', '') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('resume'), partition: fc.option(partition, { nil: undefined }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('page'),
      target: fc.option(target, { nil: undefined }),
      orderBy: fc.constantFrom<'spend' | undefined>('spend', undefined),
      descending: fc.boolean(),
      limit: fc.constantFrom(1, 2, 3, 10),
      cursor: fc.option(fc.record({ key, figure }), { nil: undefined, freq: 2 }),
      after: fc.option(fc.record({ partition, offset: fc.nat(12) }), { nil: undefined, freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('wait'), ms }) },
)

/** Up to `max` commands. The first one adds a generation, because most commands need one. */
export const commands = (max: number): fc.Arbitrary<Command[]> =>
  fc
    .tuple(adding, fc.array(command, { maxLength: max - 1, size: 'max' }))
    .map(([first, rest]) => [{ ...first, kept: false }, ...rest])
