import type { AccessDocument, KeyEntry } from '#access'
import type { AccessChange, AccessEditor } from '#access-store'
import { newApiKey } from '#authentication'
import { quote } from '#domain'

import { OperationError } from '../operation-error.ts'

/** An API key without its hash. */
export interface ListedKey extends Omit<KeyEntry, 'hash'> {
  readonly status: 'valid' | 'expired' | 'revoked'
}

/** A key that was made. `key` is shown once: only its hash is stored. */
export interface NewKey {
  readonly key: string
  readonly listed: ListedKey
}

interface KeyRequest {
  /** Name of the principal. */
  readonly name: string
  readonly roles: readonly string[]
  /** From now. Absent: it does not expire. */
  readonly expiresInMs?: number
}

type Editor = Pick<AccessEditor, 'read' | 'edit'>

/** Creates an API key. @throws InvalidInputError for an unknown role or a malformed name */
export async function createKey(
  editor: Editor,
  { name, roles, expiresInMs }: KeyRequest,
  now: () => number = Date.now,
): Promise<NewKey> {
  const made = newApiKey({ name, roles, ...expiry(now(), expiresInMs) }, now)
  await editor.edit(() => [put(made.entry)])
  return { key: made.key, listed: listedKey(made.entry, now()) }
}

/** All keys, oldest first. */
export async function listKeys(editor: Editor, now: () => number = Date.now): Promise<readonly ListedKey[]> {
  const { keys } = await editor.read()
  return keys
    .map((entry) => listedKey(entry, now()))
    .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
}

export interface Rotation extends NewKey {
  /** The key that it replaces, which expires. */
  readonly replaced: ListedKey
}

/**
 * Creates a second key of the same name and roles. The first one expires after the overlap, or when it would have anyway.
 * @param lifetimeMs of the new key; default that of the first one
 * @throws OperationError `no-key`, `key-ended`
 */
export async function rotateKey(
  editor: Editor,
  id: string,
  { overlapMs, lifetimeMs }: { readonly overlapMs: number; readonly lifetimeMs?: number },
  now: () => number = Date.now,
): Promise<Rotation> {
  let rotation: Rotation | undefined
  await editor.edit((access) => {
    const old = validKey(access, id, now())
    const { name, roles } = old
    const made = newApiKey({ name, roles, ...expiry(now(), lifetimeMs ?? lifetimeOf(old)) }, now)
    const endMs = Math.min(
      now() + overlapMs,
      old.expiresAt === undefined ? Infinity : Date.parse(old.expiresAt),
    )
    const ending = { ...old, expiresAt: new Date(endMs).toISOString() }
    const replaced = listedKey(ending, now())
    rotation = { key: made.key, listed: listedKey(made.entry, now()), replaced }
    return [put(made.entry), put(ending)]
  })
  // An edit that succeeds has decided.
  return rotation as unknown as Rotation
}

/** Revokes a key: it is rejected within seconds, everywhere. @throws OperationError `no-key`, `key-ended` if it was revoked before */
export async function revokeKey(
  editor: Editor,
  id: string,
  now: () => number = Date.now,
): Promise<ListedKey> {
  const revokedAt = new Date(now()).toISOString()
  const after = await editor.edit((access) => {
    const entry = keyOf(access, id)
    if (entry.revokedAt !== undefined) throw ended(entry, 'revoked', entry.revokedAt)
    return [put({ ...entry, revokedAt })]
  })
  return listedKey(keyOf(after, id), now())
}

/** Removes a key that has expired or was revoked. @throws OperationError `no-key`, `key-valid` */
export async function removeKey(editor: Editor, id: string, now: () => number = Date.now): Promise<void> {
  await editor.edit((access) => {
    if (listedKey(keyOf(access, id), now()).status === 'valid') {
      throw new OperationError(
        'key-valid',
        `key ${id} is valid: revoke it first (./annals access key revoke ${id} --yes)`,
      )
    }
    return [{ kind: 'key', name: id, value: null }]
  })
}

const put = (entry: KeyEntry): AccessChange => ({ kind: 'key', name: entry.id, value: entry })

const expiry = (nowMs: number, inMs: number | undefined): { readonly expiresAt?: string } =>
  inMs === undefined ? {} : { expiresAt: new Date(nowMs + inMs).toISOString() }

const lifetimeOf = ({ createdAt, expiresAt }: KeyEntry): number | undefined =>
  expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(createdAt)

function listedKey(entry: KeyEntry, nowMs: number): ListedKey {
  const { id, name, roles, createdAt, expiresAt, revokedAt } = entry
  const isExpired = expiresAt !== undefined && Date.parse(expiresAt) <= nowMs
  return {
    ...{ id, name, roles, createdAt },
    ...(expiresAt !== undefined && { expiresAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    status: revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : 'valid',
  }
}

function keyOf({ keys }: AccessDocument, id: string): KeyEntry {
  const found = keys.find((key) => key.id === id)
  if (found !== undefined) return found
  throw new OperationError(
    'no-key',
    `there is no key with the id ${quote(id)}: ./annals access key list prints the ids, which are 16 characters long`,
  )
}

function validKey(access: AccessDocument, id: string, nowMs: number): KeyEntry {
  const entry = keyOf(access, id)
  const { status, revokedAt = '', expiresAt = '' } = listedKey(entry, nowMs)
  if (status === 'revoked') throw ended(entry, 'revoked', revokedAt)
  if (status === 'expired') throw ended(entry, 'expired', expiresAt)
  return entry
}

const ended = ({ id, name }: KeyEntry, how: string, at: string): OperationError =>
  new OperationError(
    'key-ended',
    `key ${id} (${name}) was ${how} at ${at}: create another one (./annals access key create ${name})`,
  )
