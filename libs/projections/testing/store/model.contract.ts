import fc from 'fast-check'
import { expect, test } from 'vitest'

import { InMemoryViewStore } from '../../in-memory/in-memory-view-store.ts'
import { type Command, commands } from './model-commands.ts'
import { ModelPlayer } from './model-player.ts'
import { ViewStoreSubject } from '../view-store-under-test.ts'

export interface ModelSettings {
  /** How many sequences of commands run. */
  readonly modelRuns: number
  /** How many commands a sequence has at most. */
  readonly commandsMax: number
}

/** Servers on a busy machine are slow. */
const timeoutMs = 240_000

export function modelContract(
  subject: () => ViewStoreSubject,
  { modelRuns, commandsMax }: ModelSettings,
): void {
  /** Both stores see the same clock; each has a fresh projection. */
  const players = async (): Promise<ModelPlayer[]> => {
    const { clock } = subject()
    const model = new ViewStoreSubject({ store: new InMemoryViewStore({ now: clock.now }) }, clock)
    return Promise.all(
      [subject(), model].map(async (side) => {
        const projection = await side.freshProjection(['spend'])
        return new ModelPlayer(side.store, projection, clock)
      }),
    )
  }

  const playSequence = async (sequence: readonly Command[]): Promise<void> => {
    const [tested, model] = await players()
    for (const command of sequence) {
      if (command.kind === 'wait') subject().clock.advance(command.ms)
      expect(await tested?.play(command)).toEqual(await model?.play(command))
      if (command.kind === 'wait' || command.kind === 'page') continue
      expect(await tested?.observe()).toEqual(await model?.observe())
    }
  }

  test(
    'the store answers any sequence of commands as the store in memory does',
    async () => {
      await fc.assert(fc.asyncProperty(commands(commandsMax), playSequence), { numRuns: modelRuns })
    },
    timeoutMs,
  )
}
