import { resolve } from 'node:path'

import {
  deadLetterTopic,
  eventTopic,
  projectionTopic,
  repartitionJournal,
  repartitionTopic,
  restoreJournal,
  snapshotTopic,
} from '#domain'

import { OperationError } from '../operation-error.ts'
import type { ReplayRequest } from './replay-request.ts'

/** Rejects a request that can never succeed, or would write to a file or topic of something else. @throws OperationError `invalid-request` */
export function checkRequest({ destination, checkpoint, resume, dryRun }: ReplayRequest): void {
  if (destination.kind === 'topic') checkTargetTopic(destination.name)
  if (dryRun && (checkpoint !== undefined || resume)) {
    throw invalid('a dry run stores no checkpoint: omit --checkpoint and --resume')
  }
  if (resume && checkpoint === undefined) {
    throw invalid('--resume needs a checkpoint: set --checkpoint')
  }
  if (
    destination.kind === 'file' &&
    checkpoint !== undefined &&
    resolve(checkpoint) === resolve(destination.path)
  ) {
    throw invalid(`--checkpoint ${checkpoint}: that is the file for the events`)
  }
}

const ownTopics = [
  ...[eventTopic, snapshotTopic, projectionTopic, deadLetterTopic],
  ...[repartitionTopic, repartitionJournal, restoreJournal],
].map((topic) => topic(''))
const topicPattern = /^[\w.-]{1,249}$/

function checkTargetTopic(name: string): void {
  const prefix = ownTopics.find((own) => name.startsWith(own))
  if (prefix !== undefined) {
    throw invalid(`--to-topic ${name}: only services of Annals write to topics ${prefix}*. Use another name`)
  }
  if (!topicPattern.test(name) || name === '.' || name === '..') {
    throw invalid(`--to-topic ${name}: expected at most 249 letters, digits, dots, hyphens and underscores`)
  }
}

const invalid = (message: string): OperationError => new OperationError('invalid-request', message)
