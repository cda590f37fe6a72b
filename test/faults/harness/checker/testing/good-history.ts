import fc from 'fast-check'

import type { AppendedEvent, AppendOperation, ExpectedVersion, Operation, Remains } from '../../history.ts'
import { ModelSystem, type Stranger } from './model-system.ts'

/** A history and the remaining state. */
export interface Case {
  readonly history: readonly Operation[]
  readonly remains: Remains
}

type Fate = 'answered' | 'answer lost' | 'never arrived'

interface Timing {
  /** Times before and after the moment at which it takes effect. */
  readonly before: number
  readonly after: number
}

type Step = Timing &
  (
    | {
        readonly do: 'append'
        readonly stream: number
        readonly expects: 'any' | 'right' | 'wrong' | 'no-stream' | 'stream-exists'
        readonly events: readonly AppendedEvent['data'][]
        readonly fate: Fate
      }
    | { readonly do: 'retry'; readonly which: number; readonly fate: Fate }
    | { readonly do: 'read'; readonly stream: number; readonly fromVersion: number }
    | { readonly do: 'state'; readonly stream: number }
    | { readonly do: 'stray'; readonly stream: number; readonly which: number; readonly by: Stranger }
    | { readonly do: 'view'; readonly month: boolean; readonly which: number; readonly behind: number }
  )

const fate = fc.constantFrom<Fate>('answered', 'answered', 'answered', 'answer lost', 'never arrived')
const purchase = fc.record({
  date: fc.constantFrom('1997-01-05', '1997-01-31', '1997-02-01', '1996-12-31'),
  cds: fc.integer({ min: 1, max: 3 }),
  amount: fc.constantFrom('0.00', '0.10', '11.77', '13990.93'),
})
const timing = { before: fc.nat(25), after: fc.nat(25) }
const stream = fc.nat(2)

const honestStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    ...timing,
    do: fc.constant('append' as const),
    stream,
    expects: fc.constantFrom(
      'any' as const,
      'right' as const,
      'wrong' as const,
      'no-stream' as const,
      'stream-exists' as const,
    ),
    events: fc.array(purchase, { minLength: 1, maxLength: 3 }),
    fate,
  }),
  fc.record({ ...timing, do: fc.constant('retry' as const), which: fc.nat(20), fate }),
  fc.record({
    ...timing,
    do: fc.constant('read' as const),
    stream,
    fromVersion: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ ...timing, do: fc.constant('state' as const), stream }),
  fc.record({
    ...timing,
    do: fc.constant('view' as const),
    month: fc.boolean(),
    which: fc.nat(20),
    behind: fc.nat(3),
  }),
)

const stray: fc.Arbitrary<Step> = fc.record({
  ...timing,
  do: fc.constant('stray' as const),
  stream,
  which: fc.nat(20),
  by: fc.constantFrom<Stranger>('plain producer', 'former owner', 'forgotten id'),
})
const step = fc.oneof({ weight: 5, arbitrary: honestStep }, { weight: 1, arbitrary: stray })

/** Histories that keep every promise, as a correct system might produce them. */
export const goodHistories: fc.Arbitrary<Case> = fc
  .array(step, { minLength: 1, maxLength: 40, size: 'max' })
  .map((steps) => run(steps, 3))

/** The same with one stream, and so short that all orders can be tried. */
export const shortHistories: fc.Arbitrary<Case> = fc
  .array(honestStep, { minLength: 2, maxLength: 7, size: 'max' })
  .map((steps) => run(steps, 1))

/** Effects are this far apart; operations overlap with earlier and later ones. */
const stepMs = 10

function run(steps: readonly Step[], streams: number): Case {
  const system = new ModelSystem(streams)
  const history: Operation[] = []
  const appends: AppendOperation[] = []
  for (const [index, each] of steps.entries()) {
    const atMs = (index + 3) * stepMs
    const called = {
      op: index,
      client: index % 4,
      calledAtMs: atMs - each.before,
      endedAtMs: atMs + each.after,
    }
    const operation = perform(system, each, called, appends)
    if (operation === undefined) continue
    history.push(operation)
    if (operation.kind === 'append') appends.push(operation)
  }
  return { history, remains: system.remains() }
}

type Called = Pick<Operation, 'op' | 'client' | 'calledAtMs' | 'endedAtMs'>

function perform(
  system: ModelSystem,
  step: Step,
  called: Called,
  appends: readonly AppendOperation[],
): Operation | undefined {
  switch (step.do) {
    case 'append': {
      const streamId = system.streamId(step.stream)
      const request = {
        kind: 'append' as const,
        streamId,
        expectedVersion: expectation(step.expects, system.versionOf(streamId)),
        events: step.events.map((data, index) => ({
          id: `${called.op}-${index}`,
          type: 'PurchaseMade',
          data,
        })),
      }
      return { ...called, ...request, outcome: system.append(request, step.fate) }
    }
    case 'retry': {
      const again = appends[step.which % Math.max(1, appends.length)]
      if (again === undefined) return undefined
      // A client that got an answer repeats the append after it; one without an answer may repeat it at any time.
      const { streamId, expectedVersion, events } = again
      const request = { kind: 'append' as const, streamId, expectedVersion, events }
      return { ...called, ...request, outcome: system.append(request, step.fate) }
    }
    case 'stray': {
      // An event that no client sent, or the event of an append, which may already be in the log.
      const sent = appends.toSorted((one, other) => other.op - one.op)[step.which]
      const event = sent?.events[0] ?? {
        id: `stray-${called.op}`,
        type: 'PurchaseMade',
        data: { date: '1997-01-05', cds: 1, amount: '0.10' },
      }
      system.writeStray(sent?.streamId ?? system.streamId(step.stream), event, step.by)
      return undefined
    }
    case 'read': {
      const streamId = system.streamId(step.stream)
      const events = system.read(streamId, step.fromVersion)
      return {
        ...called,
        kind: 'read',
        streamId,
        fromVersion: step.fromVersion,
        outcome: { is: 'answered', events },
      }
    }
    case 'state': {
      const streamId = system.streamId(step.stream)
      return { ...called, kind: 'state', streamId, outcome: { is: 'answered', ...system.load(streamId) } }
    }
    case 'view':
      return { ...called, ...viewOperation(system, step, appends) }
  }
}

function viewOperation(
  system: ModelSystem,
  { month, which, behind }: Extract<Step, { do: 'view' }>,
  appends: readonly AppendOperation[],
) {
  const known = appends.filter(({ outcome }) => outcome.is === 'acknowledged')
  const append = known[which % Math.max(1, known.length)]
  const after = append?.outcome.is === 'acknowledged' ? append.outcome.position : undefined
  const key = month ? '1997-01' : (append?.streamId ?? system.streamId(0)).slice('customer.'.length)
  const view = system.view(month ? 'month' : 'stream', key, behind, after)
  return {
    kind: 'view' as const,
    projection: month ? 'months' : 'totals',
    key,
    ...(after !== undefined && { after }),
    outcome: { is: 'answered' as const, view },
  }
}

function expectation(expects: Extract<Step, { do: 'append' }>['expects'], version: number): ExpectedVersion {
  if (expects === 'right') return version
  return expects === 'wrong' ? version + 1 : expects
}
