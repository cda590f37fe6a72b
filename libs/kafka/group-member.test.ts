import fc from 'fast-check'
import { AssignerProtocol } from 'kafkajs'
import { describe, expect, test } from 'vitest'

import { encodeMember, type MemberData, readAssignment, readMember } from './group-member.ts'

const data: MemberData = {
  url: 'http://127.0.0.1:7400',
  instance: 'i-1',
  memberId: 'm-1',
  owned: { 'eventstore.order': [0, 1] },
}
const member = { topics: ['eventstore.order'], data }
const withUserData = (userData: Buffer): Buffer =>
  AssignerProtocol.MemberMetadata.encode({ version: 0, topics: member.topics, userData })
const withJson = (json: unknown): Buffer => withUserData(Buffer.from(JSON.stringify(json)))

describe('a member’s metadata', () => {
  test('is read as it was written; fields of later versions are ignored', () => {
    expect(readMember(encodeMember(0, member))).toEqual(member)
    expect(readMember(withJson({ ...data, zone: 'a' }))).toMatchObject(member)
    const early = { ...member, data: { ...data, early: { 'eventstore.order': [2] } } }
    expect(readMember(encodeMember(0, early))).toEqual(early)
  })

  test('may be any bytes: reading never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readMember(Buffer.from(bytes))).toHaveProperty('problem')
        readAssignment(Buffer.from(bytes))
      }),
    )
  })

  test('may hold any JSON: any other shape is foreign', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(readMember(withJson(json))).toHaveProperty('problem')
      }),
    )
  })

  test.each<[json: unknown, problem: string]>([
    [{ ...data, url: 7 }, 'its metadata has the wrong shape: expected string at /url'],
    [{ ...data, url: '' }, 'at /url'],
    [{ ...data, url: `http://${'a'.repeat(3_000)}` }, 'at /url'],
    [{ ...data, url: 'writer-1:7400' }, 'its URL begins with writer-1:'],
    [{ ...data, url: 'file:///etc/passwd' }, 'its URL begins with file:'],
    [{ ...data, url: '//writer' }, 'its URL is malformed'],
    [{ ...data, url: 'http://user:secret@writer' }, 'its URL holds credentials'],
    [{ ...data, url: 'http://writer/?to=' }, 'its URL has a query or a fragment'],
    [{ ...data, url: 'http://writer/#' + 'a' }, 'its URL has a query or a fragment'],
    [{ ...data, instance: undefined }, 'at /instance'],
    [{ ...data, memberId: null }, 'at /memberId'],
    [{ ...data, owned: [] }, 'at /owned'],
    [{ ...data, owned: { a: 'b' } }, 'at /owned/a'],
    [{ ...data, owned: { a: [-1] } }, 'at /owned/a/0'],
    [{ ...data, owned: { a: [1.5] } }, 'at /owned/a/0'],
    [{ ...data, early: 'all' }, 'at /early'],
    [{ ...data, early: { a: [-1] } }, 'at /early/a/0'],
    [null, 'its metadata has the wrong shape: expected object at its root'],
  ])('%j is foreign', (json, problem) => {
    expect(readMember(withJson(json))).toEqual({ problem: expect.stringContaining(problem) as string })
  })

  test('that is not JSON, or far too large, is foreign', () => {
    expect(readMember(withUserData(Buffer.from('hello')))).toEqual({ problem: 'its metadata is not JSON' })
    expect(readMember(withUserData(Buffer.alloc(0)))).toEqual({ problem: 'its metadata is not JSON' })
    const huge = withJson({ ...data, more: 'x'.repeat(2_000_000) })
    expect(readMember(huge)).toMatchObject({
      problem: expect.stringMatching(/^its metadata has \d+ bytes$/) as string,
    })
  })
})

test('partitions of an assignment are read; an unreadable assignment has none', () => {
  const assignment = { 'eventstore.order': [0, 2] }
  expect(
    readAssignment(
      AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
    ),
  ).toEqual(assignment)
  expect(readAssignment(Buffer.alloc(0))).toEqual({})
  expect(readAssignment(Buffer.from('garbage that is long enough'))).toEqual({})
})
