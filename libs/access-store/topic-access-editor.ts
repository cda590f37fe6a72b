import { isDeepStrictEqual } from 'node:util'

import { type AccessDocument, emptyAccess } from '#access'
import { Backoff, deadlineIn, pause } from '#async'
import { FencedLog, LogError } from '#kafka'

import type { AccessChange, AccessEditor } from './access-editor.ts'
import {
  type AccessTopicSettings,
  describeAccessTopic,
  ensureAccessTopic,
  isLogError,
  partition,
  type ReadEntries,
  readEntries,
} from './access-topic.ts'
import { applyChanges } from './apply-changes.ts'
import { entryRecord } from './entry-record.ts'

const retryLimits = { delayMsMin: 20, delayMsMax: 1_000 }
const editTimeoutMs = 30_000
const appendTimeoutMs = 10_000

interface EditTimeouts {
  /** How long an edit is tried; default 30,000. */
  readonly editTimeoutMs: number
  /** How long one append of it is tried before its outcome counts as unknown; default 10,000. */
  readonly appendTimeoutMs: number
}

/** One edit, over all of its attempts. */
interface Edit {
  readonly decide: (current: AccessDocument) => readonly AccessChange[]
  readonly topicId: string
  read?: ReadEntries
  /** What an earlier attempt has sent without learning whether it is in the topic. */
  open?: readonly AccessChange[]
}

/**
 * Edits the topic of access behind its fence: an editor takes the partition over, reads the topic to its end, and appends its changes
 * as one batch. Whoever took over later makes it start again.
 */
export class TopicAccessEditor implements AccessEditor {
  readonly #settings: AccessTopicSettings
  readonly #timeouts: EditTimeouts

  constructor(settings: AccessTopicSettings, timeouts: Partial<EditTimeouts> = {}) {
    this.#settings = settings
    this.#timeouts = { editTimeoutMs, appendTimeoutMs, ...timeouts }
  }

  async read(): Promise<AccessDocument> {
    if ((await describeAccessTopic(this.#settings)) === undefined) return emptyAccess
    return (await readEntries(this.#settings)).entries.document
  }

  async edit(decide: Edit['decide']): Promise<AccessDocument> {
    const deadline = deadlineIn(this.#timeouts.editTimeoutMs)
    const { topicId } = await ensureAccessTopic(this.#settings)
    const edit: Edit = { decide, topicId }
    // Most of the topic is read before the fence, so that editors rarely overtake each other.
    edit.read = await readEntries(this.#settings)
    const backoff = new Backoff(retryLimits)
    for (;;) {
      try {
        return await this.#attempt(edit)
      } catch (error) {
        if (error instanceof LogError && !error.mayBeAppended) delete edit.open
        const pauseMs = backoff.nextMs()
        const mayRetry = isLogError(error, 'fenced', 'take-over', 'unknown')
        if (!mayRetry || performance.now() + pauseMs >= deadline) throw error
        await pause(pauseMs)
      }
    }
  }

  async #attempt(edit: Edit): Promise<AccessDocument> {
    const { cluster, topic } = this.#settings
    const log = new FencedLog(cluster, topic, partition, this.#timeouts)
    try {
      const { endOffset, topicId } = await log.takeOver()
      if (topicId !== edit.topicId) throw replacedMeanwhile(topic)
      edit.read = await readEntries(this.#settings, edit.read, endOffset)
      const { document } = edit.read.entries
      // No attempt can still arrive behind the fence: its changes are in force now, or never will be.
      if (edit.open?.every((change) => isInForce(document, change)) === true) return document
      const changes = edit.decide(document)
      const after = applyChanges(document, changes)
      if (changes.length === 0) return after
      edit.open = changes
      await log.append(changes.map((change) => entryRecord(change, Date.now())))
      return after
    } finally {
      log.close()
    }
  }
}

const replacedMeanwhile = (topic: string): LogError =>
  new LogError(
    'log-replaced',
    `topic ${topic} was deleted and created again during the edit: check access and repeat it`,
  )

function isInForce({ roles, keys, certificates }: AccessDocument, change: AccessChange): boolean {
  const { kind, name, value } = change
  const found =
    kind === 'role'
      ? roles[name]
      : kind === 'key'
        ? keys.find(({ id }) => id === name)
        : certificates.find(({ commonName }) => commonName === name)
  return isDeepStrictEqual(found ?? null, value)
}
