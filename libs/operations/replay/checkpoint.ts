import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { fileError, ReplayError } from './replay-error.ts'
import { privateFile } from '../private-files.ts'

const whole = Type.Integer({ minimum: 0 })

const checkpointSchema = Type.Object({
  checkpointVersion: Type.Literal(1),
  /** What was asked for: only the same can be gone on with. */
  request: Type.Record(Type.String(), Type.Unknown()),
  partitions: Type.Array(
    Type.Object({
      partition: whole,
      from: whole,
      until: whole,
      /** Where to go on: all before it is done. */
      next: whole,
      read: whole,
      replayed: whole,
      leftOut: whole,
    }),
  ),
  /** The first of those left out. */
  leftOut: Type.Array(Type.Object({ position: Type.String(), reason: Type.String() })),
  /** How much of the file is covered. */
  fileBytes: whole,
})

/** How far a replay is, as it is kept in a file. */
export type Checkpoint = Static<typeof checkpointSchema>

/**
 * Replaces the checkpoint file in one step: after a crash it is the old or the new one, and whole.
 * @throws ReplayError `disk-full`, `file-failed`
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
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

/** The name itself must outlive a crash, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Reads the checkpoint to go on from.
 * @param request what is asked for now.
 * @throws ReplayError when there is none, it cannot be read, or it is of another replay.
 */
export async function readCheckpoint(path: string, request: Checkpoint['request']): Promise<Checkpoint> {
  const checkpoint = parse(path, await readText(path))
  const names = new Set([...Object.keys(request), ...Object.keys(checkpoint.request)])
  const changed = [...names].filter((name) => !isDeepStrictEqual(request[name], checkpoint.request[name]))
  if (changed.length === 0) return checkpoint
  const differences = changed.map(
    (name) => `${name} was ${told(checkpoint.request[name])} and is ${told(request[name])} now`,
  )
  throw refused(`checkpoint ${path} is of another replay: ${differences.join('; ')}`)
}

const told = (value: unknown): string => (value === undefined ? 'not given' : JSON.stringify(value))

const refused = (message: string): ReplayError => new ReplayError('checkpoint-refused', message)

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError('reading', path, error)
    throw refused(`there is no checkpoint ${path}: leave out --resume to begin`)
  }
}

function parse(path: string, text: string): Checkpoint {
  try {
    return Value.Decode(checkpointSchema, JSON.parse(text))
  } catch {
    throw refused(`${path} is no checkpoint of a replay: begin anew, with --overwrite`)
  }
}
