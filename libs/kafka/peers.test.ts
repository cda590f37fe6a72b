import { expect, test } from 'vitest'

import type { ForeignMember, Owner } from './group-protocol.ts'
import { Peers, type PeerVerdict, type VerifyPeer } from './peers.ts'

const self: Owner = { memberId: 'm-0', url: 'http://self', instance: 'i-0' }
const other = (name: string): Owner => ({
  memberId: `m-${name}`,
  url: `http://${name}`,
  instance: `i-${name}`,
})

function setUp(verify: VerifyPeer) {
  const fresh: ForeignMember[] = []
  const counts: number[] = []
  const asked: Owner[] = []
  const peers = new Peers(
    self,
    (owner) => {
      asked.push(owner)
      return verify(owner)
    },
    (all, unseen) => {
      counts.push(all.length)
      fresh.push(...unseen)
    },
  )
  return { peers, fresh, counts, asked }
}

const verdictOf =
  (verdicts: Readonly<Record<string, PeerVerdict>>): VerifyPeer =>
  ({ url }) =>
    Promise.resolve(verdicts[url] ?? 'unknown')

test('only verified members have a URL; this member is not asked', async () => {
  const { peers, asked } = setUp(verdictOf({ 'http://a': 'verified', 'http://b': 'refuted' }))
  const table = await peers.route(
    new Map([
      ['t/0', self],
      ['t/1', other('a')],
      ['t/2', other('b')],
      ['t/3', other('c')],
      ['t/4', other('a')],
    ]),
  )
  expect([...table.values()]).toEqual([
    { memberId: 'm-0', url: 'http://self' },
    { memberId: 'm-a', url: 'http://a' },
    { memberId: 'm-b' },
    { memberId: 'm-c' },
    { memberId: 'm-a', url: 'http://a' },
  ])
  expect(asked.map(({ url }) => url)).toEqual(['http://a', 'http://b', 'http://c'])
})

test('a member that claims this instance at another URL is asked like any other', async () => {
  const { peers } = setUp(verdictOf({ 'http://evil': 'refuted' }))
  const evil = { memberId: 'm-evil', url: 'http://evil', instance: self.instance }
  expect(await peers.unfit([self, evil])).toEqual([
    { memberId: 'm-evil', reason: 'another process answers at its URL: http://evil' },
  ])
})

test('the leader waits for a member that does not answer at first, and leaves it out if it never does', async () => {
  let questions = 0
  const { peers } = setUp(({ url }) => {
    const isThere = url === 'http://slow' && ++questions > 3
    return Promise.resolve(isThere ? 'verified' : 'unknown')
  })
  expect(await peers.unfit([self, other('slow')])).toEqual([])
  expect(questions).toBe(4)
  const beganMs = performance.now()
  expect(await peers.unfit([other('slow'), other('dead')])).toEqual([
    { memberId: 'm-dead', reason: 'nothing answers at its URL: http://dead' },
  ])
  expect(performance.now() - beganMs).toBeLessThan(4_000)
})

test('a silent owner is not foreign, a silent member without partitions is', async () => {
  const { peers } = setUp(verdictOf({}))
  const [owner, idle] = [other('owner'), other('idle')]
  const foreign = await peers.unfitNow({ members: [owner, idle], owners: new Map([['t/0', owner]]) })
  expect(foreign.map(({ memberId }) => memberId)).toEqual(['m-idle'])
})

test('a failed check verifies no member, and does not throw', async () => {
  const { peers } = setUp(() => Promise.reject(new Error('no')))
  expect((await peers.route(new Map([['t/0', other('a')]]))).get('t/0')).toEqual({ memberId: 'm-a' })
})

test('each foreign member is reported once while present, and a failed report does not throw', () => {
  const { peers, fresh, counts } = setUp(verdictOf({}))
  const [a, b] = ['a', 'b'].map((name) => ({ memberId: name, reason: 'not an Annals member' })) as [
    ForeignMember,
    ForeignMember,
  ]
  for (const foreign of [[a], [a, b], [b], [], [b]]) peers.foreign(foreign)
  expect(fresh).toEqual([a, b, b])
  expect(counts).toEqual([1, 2, 1, 0, 1])
  const failing = new Peers(self, verdictOf({}), () => {
    throw new Error('the log is full')
  })
  expect(() => failing.foreign([a])).not.toThrow()
})
