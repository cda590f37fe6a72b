import { type AccessEditor, AccessStoreError, FileAccessEditor, TopicAccessEditor } from '#access-store'
import { abortable } from '#async'
import type { Config } from '#config'
import { KafkaCluster } from '#kafka'
import { kafkaSettings } from '#service'

import type { JobControl } from '../job-control.ts'
import { OperationError, type OperationErrorCode } from '../operation-error.ts'
import { recordedEdits } from './recorded-edits.ts'

/** How the store is edited. */
interface AccessEdits extends Partial<Pick<JobControl, 'onNotice' | 'signal'>> {
  /** The command, for the audit trail: `annals access key create`. */
  readonly operation: string
}

/**
 * Opens the store of access that the configuration names, without any service. Edits go to the audit trail.
 * @throws OperationError `access-open` if access is not controlled, and the codes of {@link storeCodes}; LogError; what `use` throws; the
 *   reason of the signal
 */
export async function withAccessEditor<T>(
  config: Config,
  { operation, onNotice = () => undefined, signal = new AbortController().signal }: AccessEdits,
  use: (editor: AccessEditor) => Promise<T>,
): Promise<T> {
  const { mode, file, topic } = config.access
  const recorded = (editor: AccessEditor) => recordedEdits(editor, config, operation, onNotice)
  if (mode === 'file' && file !== undefined)
    return translated(() => use(recorded(new FileAccessEditor(file))))
  if (mode !== 'topic') throw accessOpen()
  const cluster = await KafkaCluster.connect(kafkaSettings(config), { signal })
  const { replication, minInsyncReplicas } = config.kafka
  const editor = recorded(new TopicAccessEditor({ cluster, topic, replication, minInsyncReplicas }))
  try {
    return await abortable(signal, () => translated(() => use(editor)))
  } finally {
    await cluster.close()
  }
}

const accessOpen = (): OperationError =>
  new OperationError(
    'access-open',
    'access is not controlled: set ANNALS_ACCESS=topic to keep keys and roles in Kafka, or ANNALS_ACCESS=file and ANNALS_ACCESS_FILE to keep ' +
      'them in a file, for this command and for all services. docs/guide/access.md explains how to start',
  )

const storeCodes: Readonly<Record<AccessStoreError['code'], OperationErrorCode>> = {
  'file-unsafe': 'access-file-unsafe',
  'file-invalid': 'access-file-invalid',
  'file-failed': 'file-failed',
  'file-busy': 'access-file-busy',
  'role-in-use': 'role-in-use',
  full: 'access-full',
}

/** Translates errors of the store. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AccessStoreError)) throw error
    throw new OperationError(storeCodes[error.code], error.message, { cause: error })
  }
}
