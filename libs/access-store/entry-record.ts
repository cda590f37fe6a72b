import { parseCertificateEntry, parseKeyEntry, parseRole, parseRoleName } from '#access'
import { InvalidInputError } from '#domain'
import type { LogRecord } from '#kafka'

import type { AccessChange } from './access-editor.ts'
import { accessBounds } from './bounds.ts'
import { parseJson } from './parse-json.ts'

/** The name of an entry: the key of its record. */
export type EntryName = Pick<AccessChange, 'kind' | 'name'>

/** An entry that is not a removal. */
export type Entry = Exclude<AccessChange, { readonly value: null }> & { readonly value: object }

export const entryKey = ({ kind, name }: EntryName): string => `${kind}:${name}`

/** Undefined for a key that no entry has. */
export function parseEntryKey(key: string): EntryName | undefined {
  const [, kind, name] = /^(role|key|certificate):(.+)$/s.exec(key) ?? []
  return kind === undefined || name === undefined ? undefined : { kind: kind as EntryName['kind'], name }
}

/** The record of a change. A removal is a tombstone. */
export const entryRecord = (change: AccessChange, timestampMs: number): LogRecord => ({
  key: Buffer.from(entryKey(change)),
  value: change.value === null ? null : Buffer.from(JSON.stringify(change.value)),
  headers: [],
  timestampMs,
})

/** The entry of a record, checked by itself. @throws InvalidInputError, SyntaxError */
export function parseEntry({ kind, name }: EntryName, value: Buffer): Entry {
  if (value.length > accessBounds.entryBytes) {
    const expected = `expected at most ${accessBounds.entryBytes}`
    throw new InvalidInputError(kind, `the value has ${value.length} bytes: ${expected}`)
  }
  const json = parseJson(value.toString('utf8'))
  switch (kind) {
    case 'role':
      return { kind, name: parseRoleName(name, kind), value: parseRole(json, kind) }
    case 'key': {
      const key = parseKeyEntry(json, kind)
      return { kind, name: checkedName('key.id', key.id, name), value: key }
    }
    case 'certificate': {
      const certificate = parseCertificateEntry(json, kind)
      return {
        kind,
        name: checkedName('certificate.commonName', certificate.commonName, name),
        value: certificate,
      }
    }
  }
}

function checkedName(path: string, actual: string, expected: string): string {
  if (actual === expected) return actual
  throw new InvalidInputError(path, `${path} is ${actual}, but the record's key says ${expected}`)
}
