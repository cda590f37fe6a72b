import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { emptyAccess } from '#access'

import type { AccessEditor } from '../access-editor.ts'
import type { AccessSource } from '../access-source.ts'
import { keyEntry, putCertificate, putKey, putRole } from './entries.ts'

/** One empty store, and ways to reach it. */
export interface StoreUnderTest {
  /** Another reader, not started. */
  readonly source: () => AccessSource
  /** Another editor. */
  readonly editor: () => AccessEditor
  /** Puts something invalid into the store, past the editors. */
  readonly damage: () => Promise<void>
  /** Repairs what `damage` did. */
  readonly repair: () => Promise<void>
}

/** Changes are in force everywhere within this time. */
const effectiveMs = 5_000

/** Defines the tests that every store of access passes. @param setup makes an empty store for each test */
export function accessStoreContract(name: string, setup: () => Promise<StoreUnderTest>): void {
  describe(`access store contract: ${name}`, () => {
    followingContract(setup)
    editingContract(setup)
    damageContract(setup)
  })
}

type Setup = () => Promise<StoreUnderTest>

async function started(source: AccessSource): Promise<AccessSource> {
  onTestFinished(() => source.stop())
  await source.start()
  return source
}

const within = { timeout: effectiveMs, interval: 20 }

function followingContract(setup: Setup): void {
  test('before anything was read there is no state in force', async () => {
    const source = (await setup()).source()
    expect(source.current).toBeUndefined()
    expect(source.state).toMatchObject({ status: 'unread', problems: [] })
    expect(source.state.reason).toBeTypeOf('string')
    await source.stop()
  })

  test('what is in the store when a reader starts is in force once it has started', async () => {
    const store = await setup()
    const key = keyEntry()
    await store.editor().edit(() => [putKey(key)])
    const source = await started(store.source())
    expect(source.current).toEqual({ ...emptyAccess, keys: [key] })
    expect(source.state).toMatchObject({ status: 'current', problems: [], problemsLeftOut: 0 })
  })

  test('every change is in force in all readers within seconds, and they report it', async () => {
    const store = await setup()
    const editor = store.editor()
    const [kept, gone] = [keyEntry(), keyEntry()]
    await editor.edit(() => [putKey(gone), putRole('clerk')])
    const readers = await Promise.all([started(store.source()), started(store.source())])
    const listener = vi.fn(() => {
      throw new Error('what a listener throws is its own problem')
    })
    readers.forEach((reader) => reader.onChange(listener))
    const certificate = { commonName: 'web 1', name: 'web', roles: ['clerk'] }
    const revoked = { ...gone, revokedAt: '2030-02-01T00:00:00.000Z' }
    await editor.edit(() => [putKey(revoked), putKey(kept), putCertificate(certificate)])
    for (const reader of readers) {
      await expect.poll(() => reader.current?.keys, within).toEqual([revoked, kept])
      expect(reader.current?.certificates).toEqual([certificate])
      expect(listener).toHaveBeenCalledWith(reader.current)
    }
    await editor.edit(() => [
      { kind: 'certificate', name: 'web 1', value: null },
      { kind: 'role', name: 'clerk', value: null },
      { kind: 'key', name: gone.id, value: null },
    ])
    for (const reader of readers) {
      await expect.poll(() => reader.current, within).toEqual({ ...emptyAccess, keys: [kept] })
    }
  })

  test('a listener that was removed hears nothing, and a stopped reader changes nothing', async () => {
    const store = await setup()
    await store.editor().edit(() => [putRole('clerk')])
    const [source, other] = [await started(store.source()), await started(store.source())]
    const listener = vi.fn()
    source.onChange(listener)()
    await source.stop()
    const before = source.current
    await store.editor().edit(() => [putRole('clerk', ['reader'])])
    await expect.poll(() => other.current?.roles['clerk']?.includes, within).toEqual(['reader'])
    expect(source.current).toBe(before)
    expect(listener).not.toHaveBeenCalled()
  })
}

function editingContract(setup: Setup): void {
  test('an empty store is empty for an editor', async () => {
    expect(await (await setup()).editor().read()).toEqual(emptyAccess)
  })

  test('concurrent edits lose nothing', async () => {
    const store = await setup()
    const keys = Array.from({ length: 5 }, () => keyEntry())
    const edits = keys.map((key) => store.editor().edit(() => [putKey(key)]))
    await Promise.all(edits)
    const found = (await store.editor().read()).keys
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(keys.map(({ id }) => id)))
  })

  test('an edit decides on the state that it changes', async () => {
    const store = await setup()
    const name = 'clerk'
    const once = () =>
      store.editor().edit(({ roles }) => {
        if (name in roles) throw new Error('it exists')
        return [putRole(name)]
      })
    const outcomes = await Promise.allSettled([once(), once(), once()])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  test('an edit returns the state after it', async () => {
    const { editor } = await setup()
    const key = keyEntry({ roles: ['clerk'] })
    const after = await editor().edit(() => [putRole('clerk'), putKey(key)])
    expect(after.keys).toEqual([key])
    expect(await editor().read()).toEqual(after)
    expect(await editor().edit(() => [])).toEqual(after)
  })

  test.each([
    ['a key with an unknown role', [putKey(keyEntry({ roles: ['clerc'] }))], /clerc.*did you mean clerk/],
    [
      'a certificate with an unknown role',
      [putCertificate({ commonName: 'c', name: 'c', roles: ['x'] })],
      /"x"/,
    ],
    ['a role that includes an unknown one', [putRole('other', ['nobody'])], /nobody/],
    ['roles that include each other', [putRole('other', ['clerk']), putRole('clerk', ['other'])], /itself/],
    ['a built-in role', [putRole('admin')], /built in/],
    [
      'the removal of a role in use',
      [{ kind: 'role', name: 'clerk', value: null } as const],
      /key [a-z2-7]{16} \(shop\)/,
    ],
    [
      'an entry that is too large',
      [putKey(keyEntry({ roles: Array.from({ length: 9_000 }, () => 'service') }))],
      /bytes|at most/,
    ],
  ])('%s is refused, and nothing changes', async (_, changes, message) => {
    const { editor } = await setup()
    const before = await editor().edit(() => [putRole('clerk'), putKey(keyEntry({ roles: ['clerk'] }))])
    await expect(editor().edit(() => [putKey(keyEntry()), ...changes])).rejects.toThrow(message)
    expect(await editor().read()).toEqual(before)
  })
}

function damageContract(setup: Setup): void {
  test('an invalid state is reported, and the last one stays in force until it is repaired', async () => {
    const store = await setup()
    const key = keyEntry()
    await store.editor().edit(() => [putKey(key)])
    const source = await started(store.source())
    await store.damage()
    const isReported = ({ problems, reason }: AccessSource['state']) =>
      problems.length > 0 || reason !== undefined
    await expect.poll(() => isReported(source.state), within).toBe(true)
    expect(source.current?.keys).toEqual([key])
    await store.repair()
    await expect.poll(() => source.state.status, within).toBe('current')
    await expect.poll(() => source.state.problems, within).toEqual([])
    const another = keyEntry()
    await store.editor().edit(() => [putKey(another)])
    await expect.poll(() => source.current?.keys, within).toEqual([key, another])
  })
}
