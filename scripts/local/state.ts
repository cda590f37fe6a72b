import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, makePrivateFolder, privateFileMode, type StackFolders } from '../stack/index.ts'
import type { StackKind } from './settings.ts'

/** A part of the running stack. */
export interface PartState {
  readonly name: string
  /** `host:port` or URL. */
  readonly address: string
  readonly pids: readonly number[]
  /** Whether clients need the stack's own password for it, which is in the folder `secrets`, never here. */
  readonly needsLogin?: boolean
}

/** The content of stack.json: a supervisor and what it runs. */
export interface StackState {
  readonly kind: StackKind
  readonly supervisorPid: number
  /** The supervisor's control port on 127.0.0.1, and the token that authenticates requests to it. */
  readonly controlPort: number
  readonly token: string
  readonly startedAt: string
  /** False while it starts. */
  readonly ready: boolean
  readonly parts: readonly PartState[]
}

function stateFile({ run }: StackFolders): string {
  return join(run, 'stack.json')
}

/** The last written state, whether or not its supervisor still runs. */
export function readState(folders: StackFolders): StackState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(folders), 'utf8')) as StackState
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes the state of a new supervisor; false if another supervisor holds it. A hard link appears atomically. */
export function claimState(folders: StackFolders, state: StackState): boolean {
  const temporary = writeAside(folders, state)
  try {
    linkSync(temporary, stateFile(folders))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(temporary)
  }
}

/** Replaces the state atomically. */
export function writeState(folders: StackFolders, state: StackState): void {
  renameSync(writeAside(folders, state), stateFile(folders))
}

/** Removes the state. */
export function removeState(folders: StackFolders): void {
  rmSync(stateFile(folders), { force: true })
}

/** The processes of a state that are still alive. */
export function livePids(state: StackState): number[] {
  return state.parts.flatMap(({ pids }) => pids.filter(isAlive))
}

function writeAside(folders: StackFolders, state: StackState): string {
  makePrivateFolder(folders.run)
  const temporary = `${stateFile(folders)}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: privateFileMode })
  return temporary
}
