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

/** Rejects a request that could never succeed, or would overwrite what is not its own. @throws OperationError `invalid-request` */
export function checkRequest({ destination, checkpoint, resume, dryRun }: ReplayRequest): void {
  if (destination.kind === 'topic') checkTargetTopic(destination.name)
  if (resume && checkpoint === undefined) {
    throw invalid('--resume goes on from a checkpoint: name it by --checkpoint')
  }
  const isFile = destination.kind === 'file' && !dryRun
  if (isFile && checkpoint !== undefined && resolve(checkpoint) === resolve(destination.path)) {
    throw invalid(`--checkpoint ${checkpoint}: the events themselves go there`)
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
    throw invalid(
      `--to-topic ${name}: topics ${prefix}* are Annals' own, and only its services write to them. Name another`,
    )
  }
  if (!topicPattern.test(name) || name === '.' || name === '..') {
    throw invalid(`--to-topic ${name}: expected letters, digits, dots, hyphens and underscores, at most 249`)
  }
}

const invalid = (message: string): OperationError => new OperationError('invalid-request', message)
