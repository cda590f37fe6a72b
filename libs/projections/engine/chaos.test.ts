import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'

import { formatPartition, project, type Projection } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, closed, entered, ledger, ledgers, totals } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'
import type { StoreMethod } from '../testing/around-store.ts'
import { type StoreFault, UnreliableStore } from '../testing/unreliable-store.ts'

const partitions = 3
const sources = ledgers(partitions)

const someEntry = fc.record({
  partition: fc.nat(partitions - 1),
  account: fc.nat(3),
  amount: fc.integer({ min: -50, max: 50 }),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('entered') },
    { weight: 1, arbitrary: fc.constantFrom('closed', 'marker', 'renamed') },
  ),
})
type Entry = typeof someEntry extends fc.Arbitrary<infer T> ? T : never

/** Events arrive in portions. Between two portions an instance may be killed and replaced. */
const someHistory = fc.array(
  fc.record({
    entries: fc.array(someEntry, { minLength: 1, maxLength: 30 }),
    killed: fc.option(fc.nat(1), { nil: undefined }),
    thawed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)
const someFaults: fc.Arbitrary<readonly StoreFault[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<StoreFault>('none') },
    { weight: 3, arbitrary: fc.constantFrom<StoreFault>('slow', 'lost', 'away') },
    { weight: 1, arbitrary: fc.constant<StoreFault>('frozen') },
  ),
  { minLength: 8, maxLength: 60 },
)

function append(feed: InMemoryFeed, { partition, account, amount, kind }: Entry): void {
  const source = ledger(partition)
  const name = `${partition}-${account}`
  if (kind === 'marker') feed.appendMarkers(source)
  else if (kind === 'closed') feed.append(source, closed(name))
  else if (kind === 'renamed') feed.append(source, { streamId: `account.${name}`, type: 'Renamed', data: {} })
  else feed.append(source, entered(name, amount, `g${account % 2}`))
}

/** Two instances that both believe they own all partitions, each behind an unreliable connection. */
class Crowd {
  readonly #open: (store: ViewStore) => Promise<ProjectorInstance>
  readonly #store: ViewStore
  readonly #faults: readonly StoreFault[]
  readonly #lines: UnreliableStore[] = []
  readonly #instances: ProjectorInstance[] = []
  #calls = 0
  #isCalm = false

  constructor(
    store: ViewStore,
    faults: readonly StoreFault[],
    open: (store: ViewStore) => Promise<ProjectorInstance>,
  ) {
    this.#store = store
    this.#faults = faults
    this.#open = open
  }

  async begin(place: number): Promise<void> {
    const line = new UnreliableStore(this.#store, (method) => this.#nextFault(method))
    this.#lines[place] = line
    this.#instances.push(await this.#open(line.store))
  }

  /** Like kill -9: the old instance does nothing more. */
  async replace(place: number): Promise<void> {
    this.#lines[place]?.die()
    await this.begin(place)
  }

  thaw(): void {
    for (const line of this.#lines) line.thaw()
  }

  calm(): void {
    this.#isCalm = true
    this.thaw()
  }

  async stop(): Promise<void> {
    this.calm()
    await Promise.all(this.#instances.map((instance) => instance.stop()))
  }

  #nextFault(method: StoreMethod): StoreFault {
    const fault = this.#faults[this.#calls++ % this.#faults.length] ?? 'none'
    if (this.#isCalm) return 'none'
    return fault === 'frozen' && method !== 'views.commit' ? 'slow' : fault
  }
}

async function expectAllOnce(store: ViewStore, feed: InMemoryFeed, projection: Projection): Promise<void> {
  await eventually(async () => {
    const { checkpoints } = await servingState(store, projection)
    for (const source of sources) {
      expect(checkpoints.get(formatPartition(source))).toBe(await feed.endOffset(source))
    }
  })
  const expected = project(projection, new Map(), feed.events)
  expect(await allViews(store, projection)).toEqual(Object.fromEntries(expected))
}

test.each([
  ['by stream', balances()],
  ['across streams', totals()],
])(
  'views %s count every event exactly once despite crashes, lost answers and late wake-ups',
  async (_, projection) => {
    let crowd: Crowd | undefined
    onTestFinished(() => crowd?.stop())
    await fc.assert(
      fc.asyncProperty(
        someHistory,
        someFaults,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (history, faults, chunkEventsMax, batchEventsMax) => {
          const feed = new InMemoryFeed({ chunkEventsMax })
          const held = new InMemoryViewStore()
          const settings = { batchEventsMax, pollMs: 2 }
          crowd = new Crowd(held, faults, (store) =>
            ProjectorInstance.start({ projection, feed, store, sources, settings }),
          )
          await crowd.begin(0)
          await crowd.begin(1)
          for (const { entries, killed, thawed } of history) {
            for (const entry of entries) append(feed, entry)
            await new Promise((resolve) => setTimeout(resolve, 2))
            if (killed !== undefined) await crowd.replace(killed)
            if (thawed) crowd.thaw()
          }
          crowd.calm()
          await expectAllOnce(held, feed, projection)
          await crowd.stop()
          await expectAllOnce(held, feed, projection)
        },
      ),
      { numRuns: 100 },
    )
  },
  60_000,
)
