import type { AccessDocument, CertificateEntry, KeyEntry, Role } from '#access'
import type { StoredRecord } from '#kafka'

import type { AccessProblem } from './access-source.ts'
import { accessBounds } from './bounds.ts'
import { type Entry, type EntryName, parseEntry, parseEntryKey } from './entry-record.ts'
import { messageOf } from './parse-json.ts'
import { cycleThrough, isRole, unknownRole } from './role-references.ts'

type EntryInTopic = Pick<StoredRecord, 'key' | 'value'>

/** The last record of an entry, valid by itself, and why it is not in force. */
interface Waiting {
  readonly entry: Entry
  readonly message: string
}

/**
 * The entries in force, from the records of the topic. An invalid record leaves the previous entry in force. One with an unknown role
 * is tried again later, because compaction may move the record of a role behind those that need it. A tombstone always removes.
 */
export class AccessEntries {
  readonly #roles = new Map<string, Role>()
  readonly #keys = new Map<string, KeyEntry>()
  readonly #certificates = new Map<string, CertificateEntry>()
  /** By the key of the record, like the broken ones. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #broken = new Map<string, string>()
  #before: AccessEntries | undefined
  #document: AccessDocument | undefined
  #dangling: readonly AccessProblem[] = []

  /** @param before entries of an earlier read, in force where the topic has only an invalid record */
  constructor(before?: AccessEntries) {
    this.#before = before
  }

  /** The entries in force, as one valid document: roles that are gone are left out. */
  get document(): AccessDocument {
    this.#document ??= this.#compose()
    return this.#document
  }

  get problems(): readonly AccessProblem[] {
    this.#document ??= this.#compose()
    return [
      ...[...this.#broken].map(([entry, message]) => ({ entry, message })),
      ...[...this.#waiting].map(([entry, { message }]) => ({ entry, message })),
      ...this.#dangling,
    ]
  }

  /** Applies records in the order of the topic. Call {@link settle} after the last one. */
  apply(records: readonly EntryInTopic[]): void {
    for (const record of records) this.#applyOne(record)
  }

  /** Brings records into force that came before the roles that they need. */
  settle(): void {
    while (this.#retry('role') > 0);
    this.#retry('key')
    this.#retry('certificate')
    this.#before = undefined
  }

  #applyOne({ key, value }: EntryInTopic): void {
    const text = key.toString('utf8')
    this.#waiting.delete(text)
    this.#broken.delete(text)
    const name = parseEntryKey(text)
    if (name === undefined) {
      if (value !== null)
        this.#report(text, 'the key of the record begins with none of role:, key:, certificate:')
    } else if (value === null) {
      this.#entriesOf(name).delete(name.name)
      this.#document = undefined
    } else {
      this.#read(text, name, value)
    }
  }

  #read(text: string, name: EntryName, value: Buffer): void {
    try {
      const entry = parseEntry(name, value)
      const message = this.#full(name) ?? this.#put(entry)
      if (message === undefined) return
      this.#waiting.set(text, { entry, message })
    } catch (error) {
      this.#report(text, messageOf(error))
    }
    this.#keepPrevious(name)
  }

  /** @returns why the entry is not valid; undefined if it is in force now */
  #put(entry: Entry): string | undefined {
    const { kind, name, value } = entry
    const names = kind === 'role' ? (value.includes ?? []) : value.roles
    const message =
      unknownRole(names, this.#roles) ??
      (kind === 'role' ? cycleThrough(name, value, this.#roles) : undefined)
    if (message !== undefined) return message
    // In the order of their latest records, as compaction leaves them.
    this.#entriesOf(entry).delete(name)
    if (kind === 'role') this.#roles.set(name, value)
    else if (kind === 'key') this.#keys.set(name, value)
    else this.#certificates.set(name, value)
    this.#document = undefined
    return undefined
  }

  /** @returns how many records came into force */
  #retry(kind: EntryName['kind']): number {
    let done = 0
    for (const [text, { entry }] of this.#waiting) {
      if (entry.kind !== kind) continue
      const message = this.#full(entry) ?? this.#put(entry)
      if (message !== undefined) {
        this.#waiting.set(text, { entry, message })
      } else {
        this.#waiting.delete(text)
        done++
      }
    }
    return done
  }

  #keepPrevious(name: EntryName): void {
    const entries: Map<string, unknown> = this.#entriesOf(name)
    const before = this.#before
    const previous = before === undefined ? undefined : before.#entriesOf(name).get(name.name)
    if (previous === undefined || entries.has(name.name)) return
    entries.set(name.name, previous)
    this.#document = undefined
  }

  #entriesOf({ kind }: EntryName): Map<string, Role | KeyEntry | CertificateEntry> {
    if (kind === 'role') return this.#roles
    return kind === 'key' ? this.#keys : this.#certificates
  }

  #full(name: EntryName): string | undefined {
    if (this.#entriesOf(name).has(name.name)) return undefined
    const count = this.#roles.size + this.#keys.size + this.#certificates.size
    if (count >= accessBounds.entries) return `there are ${count} entries already, and there cannot be more`
    const { size } = this.#entriesOf(name)
    const max = accessBounds.each[name.kind]
    return size >= max ? `there are ${size} of its kind already, and there cannot be more` : undefined
  }

  #report(entry: string, message: string): void {
    if (this.#broken.size < accessBounds.entries) this.#broken.set(entry, message)
  }

  /** A tombstone removes a role even from others that have it. What remains of those is in force. */
  #compose(): AccessDocument {
    const dangling: AccessProblem[] = []
    const known = (entry: string, names: readonly string[]): readonly string[] => {
      const gone = names.filter((name) => !isRole(name, this.#roles))
      if (gone.length === 0) return names
      dangling.push({ entry, message: `it has roles that were removed: ${gone.join(', ')}` })
      return names.filter((name) => !gone.includes(name))
    }
    const roles = [...this.#roles].map(([name, role]): [string, Role] => {
      const { includes } = role
      return [name, includes === undefined ? role : { ...role, includes: known(`role:${name}`, includes) }]
    })
    const document = {
      roles: Object.fromEntries(roles),
      keys: [...this.#keys.values()].map((key) => ({ ...key, roles: known(`key:${key.id}`, key.roles) })),
      certificates: [...this.#certificates.values()].map((entry) => ({
        ...entry,
        roles: known(`certificate:${entry.commonName}`, entry.roles),
      })),
    }
    this.#dangling = dangling
    return document
  }
}
