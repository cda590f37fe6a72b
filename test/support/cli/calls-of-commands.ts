import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Arguments after the path of a command. */
type Arguments = readonly string[]

type Calls = Readonly<Record<string, readonly Arguments[]>>

/** Calls of every command that get as far as its first request. A new command needs at least one. @param folder receives files. */
export function callsOfCommands(folder: string): Calls {
  const events = join(folder, 'events.ndjson')
  writeFileSync(events, '{"streamId":"customer.c-1","type":"PurchaseMade","data":{},"id":"1"}\n')
  const role = join(folder, 'role.json')
  writeFileSync(role, '{"rules":[{"actions":["read"],"on":["order.*"]}]}')
  const backups = backupIn(join(folder, 'backups'))
  return {
    ...withoutFiles,
    import: [[events, '--no-schemas']],
    backup: [[join(folder, 'new-backups')]],
    'backup list': [[backups]],
    'backup check': [[backups]],
    restore: [[backups, '--dry-run'], [backups]],
    'schemas infer': [[events, '--type', 'customer']],
    'access role put': [['clerk', role]],
    'access check': [[role]],
  }
}

const withoutFiles: Calls = {
  append: [['customer.c-1', 'PurchaseMade', '--data', '{}']],
  export: [['customer'], ['--stream', 'customer.c-1']],
  'import-rollback': [['trial-1', 'customer', '--event', 'Voided', '--yes']],
  'stream show': [['customer.c-1']],
  'stream history': [['customer.c-1']],
  'stream state': [['customer.c-1']],
  'projection list': [[]],
  'projection show': [['loans']],
  'projection view': [['loans', 'key']],
  'projection views': [['loans']],
  'projection rebuild': [['loans'], ['loans', '--no-wait']],
  'projection resume': [['loans']],
  'projection discard': [['loans', 'g-1', '--yes']],
  'deadletters list': [['loans']],
  'deadletters retry': [['loans']],
  'deadletters drop': [['loans', 'eventstore.customer:0:1', '--yes']],
  'snapshot take': [['customer.c-1']],
  'snapshot stats': [[]],
  'snapshot rebuild': [['customer']],
  'snapshot cleanup': [['customer', '--yes']],
  owners: [[]],
  doctor: [[]],
  verify: [[]],
  'index verify': [[]],
  'index rebuild': [['--yes']],
  audit: [[]],
  replay: [['customer'], ['customer', '--to-topic', 'copy'], ['--to-projection', 'loans']],
  'topics list': [[]],
  'topics check': [[]],
  'topics create': [['customer']],
  'topics repartition': [
    ['customer', '--partitions', '2', '--dry-run'],
    ['customer', '--partitions', '2', '--yes'],
    ['customer', '--abort', '--yes'],
  ],
  'schemas push': [[]],
  'schemas check': [[]],
  'schemas types': [[]],
  'schemas release': [[]],
  'access key create': [['shop', '--role', 'service']],
  'access key rotate': [['AAAAAAAAAAAAAAAA']],
  'access key list': [[]],
  'access key revoke': [['AAAAAAAAAAAAAAAA', '--yes']],
  'access key remove': [['AAAAAAAAAAAAAAAA', '--yes']],
  'access role list': [[]],
  'access role remove': [['clerk', '--yes']],
  'access certificate put': [['web', '--name', 'web', '--role', 'reader']],
  'access certificate list': [[]],
  'access certificate remove': [['web', '--yes']],
  'access explain': [['--role', 'reader', 'read', 'order.42']],
  'context list': [[]],
  'context show': [['prod']],
  'context put': [['prod', '--url', 'https://annals.example.com']],
  'context use': [['prod']],
  'context remove': [['prod', '--yes']],
  completion: [['bash']],
  version: [[]],
}

/** A folder with one backup of nothing. */
function backupIn(path: string): string {
  const id = '20260101T000000.000Z-full'
  const time = '2026-01-01T00:00:00.000Z'
  const manifest = JSON.stringify({
    ...{ format: 'annals-backup', formatVersion: 1, id, kind: 'full', clusterId: 'C' },
    ...{ startedAt: time, finishedAt: time, topics: [], schemas: [], unknownSchemaIds: [] },
    ...{ configuration: {}, events: 0, bytes: 0 },
  })
  mkdirSync(join(path, id), { recursive: true })
  writeFileSync(join(path, id, 'manifest.json'), manifest)
  const sha256 = createHash('sha256').update(manifest).digest('hex')
  writeFileSync(join(path, id, 'SHA256SUMS'), `${sha256}  manifest.json\n`)
  return path
}
