import fc from 'fast-check'
import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { partitionKey, type TopicPartition } from '#domain'
import type { GroupView, KafkaCluster, Peer } from '#kafka'

import { PartitionGroup } from './partition-group.ts'
import type { PortState } from './probe-port.ts'
import type { EarlyStep } from './succession.ts'
import { MembershipDouble } from './testing/index.ts'

const topic = 'eventstore.a'
const place = (partition: number): TopicPartition => ({ topic, partition })
const keys = (places: readonly TopicPartition[]): string[] => places.map(partitionKey).sort()

/** An owner whose term the test can end. */
class Owner {
  readonly isServing = true
  readonly waiting = undefined
  isStopped = false
  readonly endTerm: () => void
  constructor(onTermLost: () => void) {
    this.endTerm = onTermLost
  }
  start(): void {
    this.isStopped = false
  }
  stop(): Promise<void> {
    this.isStopped = true
    return Promise.resolve()
  }
}

/** A member of a group whose table and ports the test controls. */
class TestMember {
  readonly member: MembershipDouble
  readonly group: PartitionGroup<Owner>
  readonly steps: EarlyStep[] = []
  readonly opened: string[] = []

  constructor(
    url: string,
    ports: ReadonlyMap<string, PortState>,
    verdictOf: (url: string) => 'verified' | 'refuted',
  ) {
    let member: MembershipDouble | undefined
    this.group = new PartitionGroup<Owner>({
      member: 'counter',
      cluster: undefined as unknown as KafkaCluster,
      groupId: 'counters',
      topics: [topic],
      advertisedUrl: url,
      open: (at, onTermLost) => {
        this.opened.push(partitionKey(at))
        return new Owner(onTermLost)
      },
      succession: {
        probeIntervalMs: 200,
        probe: (at) => Promise.resolve(ports.get(at) ?? 'open'),
        identify: ({ url: at }) => Promise.resolve(verdictOf(at)),
        onStep: (step) => this.steps.push(step),
      },
      newMembership: (options) => (member = new MembershipDouble(options)),
      logger: pino({ level: 'silent' }),
    })
    this.member = member ?? expect.unreachable()
  }

  get owned(): string[] {
    return Array.from({ length: 40 }, (_, partition) => place(partition))
      .filter((at) => this.group.ownerOf(at) !== undefined)
      .map(partitionKey)
      .sort()
  }
}

/** Members that share partitions by turns, and see each other in one table. */
async function groupOf(count: number, partitions: number) {
  const ports = new Map<string, PortState>()
  const verdicts = new Map<string, 'verified' | 'refuted'>()
  const urlOf = (index: number) => `http://m${index}`
  const members = Array.from(
    { length: count },
    (_, index) => new TestMember(urlOf(index), ports, (at) => verdicts.get(at) ?? 'verified'),
  )
  const peers = members.map(({ member }, index): Peer => ({
    ...{ memberId: `m${index}`, url: urlOf(index), instance: member.instance },
    ...{ topics: [topic], takesEarly: true, isVerified: true },
  }))
  const assigned = new Map<string, number>(
    Array.from({ length: partitions }, (_, index) => [partitionKey(place(index)), index % count]),
  )
  const viewOf = (owners: ReadonlyMap<string, number>, alive = peers): GroupView => ({
    members: alive,
    routes: new Map(
      [...owners].map(([key, owner]) => [key, { memberId: `m${owner}`, url: urlOf(owner) }] as const),
    ),
  })
  const show = (view: GroupView) => {
    for (const { member } of members) member.current = view
  }
  show(viewOf(assigned))
  for (const [index, { member, group }] of members.entries()) {
    await group.start()
    const own = [...assigned].filter(([, owner]) => owner === index)
    void member.grant(...own.map(([key]) => place(Number(key.slice(topic.length + 1)))))
  }
  await vi.advanceTimersByTimeAsync(1_000)
  return { members, peers, ports, verdicts, assigned, viewOf, show, urlOf }
}

const stopped = async (members: readonly TestMember[]) => {
  const ended = Promise.all(members.map(({ group }) => group.stop()))
  await vi.advanceTimersByTimeAsync(1_000)
  await ended
  expect(vi.getTimerCount()).toBe(0)
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('the partitions of a member whose port refuses have one successor each, in every table, and stay there', async () => {
  const { members, ports, assigned, viewOf, show, peers } = await groupOf(3, 12)
  const [first, second, dead] = members as [TestMember, TestMember, TestMember]
  const ofDead = dead.owned
  ports.set('http://m2', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  const all = [...first.owned, ...second.owned].sort()
  expect(all).toEqual([...assigned.keys()].sort())
  expect([first.owned.length, second.owned.length]).toEqual([6, 6])

  const routes = first.member.current.routes
  const [seen, alsoSeen] = [first.group.withSuccessors(routes), second.group.withSuccessors(routes)]
  expect([...seen]).toEqual([...alsoSeen])
  expect([...seen.values()].map(({ memberId }) => memberId)).not.toContain('m2')
  for (const key of first.owned) expect(seen.get(key)).toEqual({ memberId: 'm0', url: 'http://m0' })

  // They ask to keep them, and the group assigns them: no owner is opened again.
  expect(keys([...first.member.early, ...second.member.early])).toEqual(ofDead)
  const openedBefore = first.opened.length
  await first.member.grant(...first.member.early)
  await second.member.grant(...second.member.early)
  show(
    viewOf(
      new Map([...seen].map(([key, { memberId }]) => [key, Number(memberId.slice(1))])),
      peers.slice(0, 2),
    ),
  )
  await vi.advanceTimersByTimeAsync(5_000)
  expect(first.opened.length).toBe(openedBefore)
  expect([first.member.early, second.member.early]).toEqual([[], []])
  expect(new Set([...first.steps, ...second.steps])).toEqual(new Set(['taken', 'kept']))
  expect(first.group.withSuccessors(first.member.current.routes)).toBe(first.member.current.routes)
  await stopped(members)
})

test('an early owner that is fenced gives up, and does not take over again while it is not assigned', async () => {
  const { members, ports } = await groupOf(2, 4)
  const [first] = members as [TestMember, TestMember]
  const own = first.owned
  ports.set('http://m1', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  expect(first.owned).toHaveLength(4)
  const taken = first.owned.filter((key) => !own.includes(key))
  for (const key of taken) first.group.ownerOf(place(Number(key.slice(topic.length + 1))))?.endTerm()
  await vi.advanceTimersByTimeAsync(50_000)
  expect(first.owned).toEqual(own)
  expect(first.steps).toEqual(['taken', 'taken', 'lost', 'lost'])
  // The group's owner is named again, because this process cannot serve it.
  expect(first.group.withSuccessors(first.member.current.routes).get(taken[0] ?? '')?.memberId).toBe('m1')
  // The end of a term that the group has assigned changes nothing.
  first.group.ownerOf(place(0))?.endTerm()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(first.owned).toEqual(own)
  await stopped(members)
})

test('a member that accepts connections again gets its partitions back; another process at its address does not', async () => {
  const { members, ports, verdicts } = await groupOf(2, 4)
  const [first] = members as [TestMember, TestMember]
  const own = first.owned
  ports.set('http://m1', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  ports.set('http://m1', 'open')
  verdicts.set('http://m1', 'refuted')
  await vi.advanceTimersByTimeAsync(3_000)
  expect(first.owned).toHaveLength(4)
  await stopped(members)

  const again = await groupOf(2, 4)
  const [other] = again.members as [TestMember, TestMember]
  again.ports.set('http://m1', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  expect(other.owned).toHaveLength(4)
  again.ports.set('http://m1', 'open')
  await vi.advanceTimersByTimeAsync(3_000)
  expect(other.owned).toEqual(own)
  expect(other.steps).toEqual(['taken', 'taken', 'handed-back', 'handed-back'])
  await stopped(again.members)
})

test('what the group assigns to another living member is handed back', async () => {
  const { members, ports, assigned, viewOf, show, peers } = await groupOf(3, 12)
  const [first, second] = members as [TestMember, TestMember, TestMember]
  ports.set('http://m2', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  const early = first.member.early.map(partitionKey)
  expect(early.length).toBeGreaterThan(0)
  // All of them to the second, although the first asked to keep some.
  show(
    viewOf(new Map([...assigned].map(([key, owner]) => [key, owner === 2 ? 1 : owner])), peers.slice(0, 2)),
  )
  await vi.advanceTimersByTimeAsync(6_000)
  expect(first.owned.filter((key) => early.includes(key))).toEqual([])
  expect(second.owned.every((key) => assigned.get(key) !== 0)).toBe(true)
  await stopped(members)
})

test('members that do not take over early are no successors, and nobody is without another member', async () => {
  const { members, ports, show, viewOf, assigned, peers } = await groupOf(3, 6)
  const [first] = members as [TestMember, TestMember, TestMember]
  const old = peers.map((peer, index) => ({ ...peer, takesEarly: index === 0 }))
  show(viewOf(assigned, old))
  await vi.advanceTimersByTimeAsync(5_000)
  ports.set('http://m2', 'refused')
  await vi.advanceTimersByTimeAsync(600)
  expect(first.owned).toHaveLength(4)
  await stopped(members)
})

const anyEvent = fc.record({
  member: fc.nat(3),
  kind: fc.constantFrom('refuse', 'accept', 'silence', 'replace', 'fence'),
  afterMs: fc.integer({ min: 0, max: 3_000 }),
})

test('whatever the ports do, nobody takes a partition more than once per back-off, and the living get theirs back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 20 }), async (events) => {
      const { members, ports, verdicts, urlOf, assigned } = await groupOf(4, 12)
      let totalMs = 0
      for (const { member, kind, afterMs } of events) {
        const url = urlOf(member)
        if (kind === 'refuse') ports.set(url, 'refused')
        if (kind === 'accept') ports.set(url, 'open')
        if (kind === 'silence') ports.set(url, 'unknown')
        if (kind === 'replace') verdicts.set(url, 'refuted')
        if (kind === 'fence') {
          for (const at of members[member]?.member.early ?? []) members[member]?.group.ownerOf(at)?.endTerm()
        }
        await vi.advanceTimersByTimeAsync(afterMs)
        totalMs += afterMs
      }
      expect(totalMs).toBeLessThanOrEqual(60_000)
      for (const { steps, opened } of members) {
        const lost = steps.filter((step) => step === 'lost').length
        const taken = steps.filter((step) => step === 'taken').length
        expect(taken).toBeLessThanOrEqual(9)
        expect(lost).toBeLessThanOrEqual(9)
        expect(opened.length).toBe(3 + taken)
      }
      for (let member = 0; member < 4; member++) ports.set(urlOf(member), 'open')
      verdicts.clear()
      await vi.advanceTimersByTimeAsync(10_000)
      for (const [index, { member, owned }] of members.entries()) {
        const expected = [...assigned].filter(([, owner]) => owner === index).map(([key]) => key)
        expect(owned).toEqual(expect.arrayContaining(expected))
        // What remains early belongs to members that another process has replaced.
        const replaced = new Set(events.flatMap(({ kind, member: at }) => (kind === 'replace' ? [at] : [])))
        for (const key of keys(member.early)) expect(replaced).toContain(assigned.get(key))
      }
      await stopped(members)
    }),
    { numRuns: 60 },
  )
}, 60_000)
