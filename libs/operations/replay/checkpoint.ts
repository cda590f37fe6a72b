import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { fileError } from '../file-failure.ts'
import { OperationError } from '../operation-error.ts'
import { privateFile } from '../private-files.ts'

const whole = Type.Integer({ minimum: 0 })

const checkpointSchema = Type.Object({
  checkpointVersion: Type.Literal(1),
  /** The identity of the request: only the same request can be resumed. */
  request: Type.Record(Type.String(), Type.Unknown()),
  partitions: Type.Array(
    Type.Object({
      partition: whole,
      from: whole,
      until: whole,
      /** The offset to continue from: all records before it are done. */
      next: whole,
      read: whole,
      replayed: whole,
      leftOut: whole,
    }),
  ),
  /** The first skipped records. */
  leftOut: Type.Array(Type.Object({ position: Type.String(), reason: Type.String() })),
  /** The size of the written file that the checkpoint covers. */
  fileBytes: whole,
})

/** The stored progress of a replay. */
export type ReplayCheckpoint = Static<typeof checkpointSchema>

/**
 * Replaces the checkpoint file in one step: after a crash it is the complete old one or the complete new one.
 * @throws OperationError `disk-full`, `file-failed`
 */
export async function saveReplayCheckpoint(path: string, checkpoint: ReplayCheckpoint): Promise<void> {
  const fresh = `${path}.new`
  try {
    await writeSafely(fresh, `${JSON.stringify(checkpoint)}\n`)
    await rename(fresh, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined)
    throw fileError('writing checkpoint', path, error)
  }
}

async function writeSafely(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', privateFile)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Flushes a folder, so that the new name survives a crash. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Reads the checkpoint to resume from.
 * @param request the identity of the current request.
 * @throws OperationError if it does not exist, cannot be read, or is that of another replay.
 */
export async function readReplayCheckpoint(
  path: string,
  request: ReplayCheckpoint['request'],
): Promise<ReplayCheckpoint> {
  const checkpoint = parse(path, await readText(path))
  const names = new Set([...Object.keys(request), ...Object.keys(checkpoint.request)])
  const changed = [...names].filter((name) => !isDeepStrictEqual(request[name], checkpoint.request[name]))
  if (changed.length === 0) return checkpoint
  const differences = changed.map(
    (name) => `${name} was ${shown(checkpoint.request[name])} and is ${shown(request[name])} now`,
  )
  throw refused(`checkpoint ${path} belongs to another replay: ${differences.join('; ')}`)
}

const shown = (value: unknown): string => (value === undefined ? 'not given' : JSON.stringify(value))

const refused = (message: string): OperationError => new OperationError('checkpoint-refused', message)

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError('reading', path, error)
    throw refused(`checkpoint ${path} does not exist: omit --resume to start`)
  }
}

function parse(path: string, text: string): ReplayCheckpoint {
  try {
    return Value.Decode(checkpointSchema, JSON.parse(text))
  } catch {
    throw refused(`${path} is not the checkpoint of a replay: start over with --overwrite`)
  }
}
