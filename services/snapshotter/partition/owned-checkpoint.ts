import { LogError } from '#kafka'

import {
  type CheckpointState,
  type CheckpointStore,
  type HeldCheckpoint,
  moveCheckpoint,
  readCheckpoint,
} from './checkpoint.ts'

/**
 * The checkpoint of a partition as one owner holds it. It moves forward until another process has moved it. All methods reject with
 * IndexUnavailableError.
 */
export class OwnedCheckpoint {
  readonly #checkpoint: CheckpointStore
  readonly #owner: string
  readonly #name: string
  #seen = ''
  #held: HeldCheckpoint | undefined
  #wasMoved = true

  /** @param owner of this term. @param name of the partition. */
  constructor(checkpoint: CheckpointStore, owner: string, name: string) {
    this.#checkpoint = checkpoint
    this.#owner = owner
    this.#name = name
  }

  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** As it was last left here. */
  get state(): CheckpointState {
    if (this.#held === undefined) throw new Error(`the checkpoint of ${this.#name} is not held`)
    return this.#held.state
  }

  /** Whether it was found elsewhere than where it had been left here: what was stored before is to be stored again. */
  get wasMoved(): boolean {
    return this.#wasMoved
  }

  /** What stands there, to be claimed. @throws LogError `fenced` when another owner has moved it since it was claimed here. */
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

  /** Takes it, unless it has been moved since the {@link look}. @returns whether it is held now. */
  async claim(state: Omit<CheckpointState, 'owner'>): Promise<boolean> {
    this.#held = await moveCheckpoint(this.#checkpoint, this.#seen, { ...state, owner: this.#owner })
    return this.isHeld
  }

  /** @returns false where another process has moved it. */
  async move(state: CheckpointState): Promise<boolean> {
    const moved = await moveCheckpoint(this.#checkpoint, this.#held?.text ?? '', state)
    if (moved !== undefined) this.#held = moved
    return moved !== undefined
  }

  async isAsLeft(): Promise<boolean> {
    return (await this.#checkpoint.read()) === this.#held?.text
  }

  /** It is left to others. */
  release(): void {
    this.#held = undefined
  }
}
