import { LogError } from '#kafka'

import {
  type CheckpointState,
  type CheckpointStore,
  type HeldCheckpoint,
  moveCheckpoint,
  readCheckpoint,
} from './checkpoint.ts'

/**
 * The checkpoint of a partition in the hands of its owner, which advances it until another process moves it. All methods
 * reject with IndexUnavailableError.
 */
export class OwnedCheckpoint {
  readonly #checkpoint: CheckpointStore
  readonly #owner: string
  readonly #name: string
  #seen = ''
  #held: HeldCheckpoint | undefined
  #wasMoved = true

  /** @param owner of this term. @param name of the partition, for messages. */
  constructor(checkpoint: CheckpointStore, owner: string, name: string) {
    this.#checkpoint = checkpoint
    this.#owner = owner
    this.#name = name
  }

  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** The state that this owner stored last. */
  get state(): CheckpointState {
    if (this.#held === undefined) throw new Error(`the checkpoint of ${this.#name} is not held`)
    return this.#held.state
  }

  /** Whether the checkpoint was moved by another process: snapshots stored before must be stored again. */
  get wasMoved(): boolean {
    return this.#wasMoved
  }

  /** Reads the stored state before a claim. @throws LogError `fenced` if another owner has moved it since this owner claimed it. */
  async look(): Promise<CheckpointState | undefined> {
    const { text, state } = await readCheckpoint(this.#checkpoint)
    const isOthers = state !== undefined && state.owner !== '' && state.owner !== this.#owner
    if (this.isHeld && isOthers) {
      throw new LogError('fenced', `another snapshotter has moved the checkpoint of ${this.#name}`)
    }
    this.#wasMoved = text !== this.#held?.text
    this.#seen = text
    return state
  }

  /** Claims the checkpoint, unless it was moved since {@link look}. @returns whether it is held now. */
  async claim(state: Omit<CheckpointState, 'owner'>): Promise<boolean> {
    this.#held = await moveCheckpoint(this.#checkpoint, this.#seen, { ...state, owner: this.#owner })
    return this.isHeld
  }

  /** @returns false if another process has moved it. */
  async move(state: CheckpointState): Promise<boolean> {
    const moved = await moveCheckpoint(this.#checkpoint, this.#held?.text ?? '', state)
    if (moved !== undefined) this.#held = moved
    return moved !== undefined
  }

  async isAsLeft(): Promise<boolean> {
    return (await this.#checkpoint.read()) === this.#held?.text
  }

  /** Releases the checkpoint. */
  release(): void {
    this.#held = undefined
  }
}
