import { once } from 'node:events'
import type { Writable } from 'node:stream'

import type { AuditRecord } from '#audit'
import type { AuditSearch } from '#operations'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { shortened, table } from '../table.ts'
import { visible } from '../visible.ts'
import { ofCluster } from './cluster-report.ts'

const whyWidth = 100
const typePrefix = 'annals.'

/** Keeps the entries for a table or one JSON document. The request limits their number. */
export class EntryList {
  readonly entries: AuditRecord[] = []

  add(entry: AuditRecord): void {
    this.entries.push(entry)
  }
}

/** Prints each entry as it is read: a line of text, or with `isJson` of JSON. */
export class EntryPrinter {
  readonly #output: Writable
  readonly #isJson: boolean

  constructor(output: Writable, isJson: boolean) {
    this.#output = output
    this.#isJson = isJson
  }

  async add(entry: AuditRecord): Promise<void> {
    const line = this.#isJson ? JSON.stringify(entry) : visible(cellsOf(entry).join('  '))
    if (!this.#output.write(`${line}\n`)) await once(this.#output, 'drain')
  }
}

/** The report of a search whose entries are shown in a table. */
export const auditReport = (search: AuditSearch, entries: readonly AuditRecord[]): CommandReport =>
  ofCluster(search.cluster, {
    document: { ...summaryOf(search), entries },
    text: [
      entries.length === 0
        ? `No entries in ${search.topic} match`
        : table(['time', 'what', 'outcome', 'principal', 'resource', 'how', 'why'], entries.map(cellsOf)),
      ...remarksOf(search),
    ].join('\n'),
    exitCode: exitCodeOf(search),
  })

/** The report of a search whose entries have been printed: it goes to standard error. */
export const searchReport = (search: AuditSearch): CommandReport => ({
  document: { ...summaryOf(search), entries: search.entries },
  text: [`${grouped(search.entries)} entries of ${search.topic}`, ...remarksOf(search)].join('\n'),
  exitCode: exitCodeOf(search),
  isAside: true,
})

const summaryOf = ({ topic, foreign, next, status }: AuditSearch): object => ({
  ...{ topic, foreign, isInterrupted: status === 'interrupted' },
  ...(next !== undefined && { next }),
})

const exitCodeOf = ({ status }: AuditSearch): 0 | 130 => (status === 'interrupted' ? 130 : 0)

const remarksOf = ({ status, next, foreign, topic }: AuditSearch): readonly string[] => [
  ...(next === undefined ? [] : [`There are more: continue with --since ${next}, or raise --limit`]),
  ...(status === 'interrupted' ? ['Interrupted: the rest was not read'] : []),
  ...(foreign === 0
    ? []
    : [`${grouped(foreign)} records of ${topic} are no entries: who else writes to it?`]),
]

const cellsOf = (entry: AuditRecord): readonly string[] => {
  const { time, type, outcome, principal, action, resource, operation, reason, count } = entry
  const times = count === undefined ? '' : ` (${grouped(count)} times)`
  const how = [action, operation].filter((part) => part !== undefined).join(': ')
  return [
    ...[time, type.startsWith(typePrefix) ? type.slice(typePrefix.length) : type, `${outcome}${times}`],
    ...[principal?.name ?? `unknown${entry.remoteAddress === undefined ? '' : ` at ${entry.remoteAddress}`}`],
    ...[resource ?? '', how, shortened(reason ?? detailsText(entry), whyWidth)],
  ]
}

const detailsText = ({ details = {} }: AuditRecord): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')
