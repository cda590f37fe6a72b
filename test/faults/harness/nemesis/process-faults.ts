import { writeFileSync } from 'node:fs'

import type { LinkedService } from '../cluster/linked-service.ts'
import type { ServiceKind } from '../cluster/service-post.ts'
import type { System } from '../cluster/system.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

const servicesOf = (system: System, kind: ServiceKind): readonly LinkedService[] =>
  system.services.filter(({ post }) => post.kind === kind)

/** SIGKILL; another process follows at once. */
const killed = (kind: ServiceKind): Fault => ({
  name: `${kind} killed`,
  weight: 2,
  forMs: [2_000, 5_000],
  strike: async (scene) => {
    const { post } = scene.random.pick(servicesOf(scene.system, kind))
    post.signal('SIGKILL')
    await scene.hold()
    return post.name
  },
})

/** SIGSTOP and SIGCONT. Beyond six seconds others have taken over by the time it wakes: a zombie. */
const frozen = (kind: ServiceKind, name: string, forMs: readonly [number, number]): Fault => ({
  name: `${kind} ${name}`,
  weight: 1,
  forMs,
  strike: async (scene) => {
    const { post } = scene.random.pick(servicesOf(scene.system, kind))
    await heldBetween(
      scene,
      () => post.signal('SIGSTOP'),
      () => post.signal('SIGCONT'),
    )
    return post.name
  },
})

const shortly = [1_000, 3_000] as const
const asZombie = [7_500, 10_000] as const
const minuteMs = 60_000

const clockJumps: Fault = {
  name: 'writer clock jumps',
  weight: 2,
  forMs: [1_000, 4_000],
  strike: async (scene) => {
    const writer = scene.random.pick(scene.system.writers)
    const offsetMs = scene.random.between(-2_880, 2_880) * minuteMs
    const set = (ms: number) => {
      writeFileSync(scene.system.clockFileOf(writer), String(ms))
      writer.post.signal('SIGWINCH')
    }
    await heldBetween(
      scene,
      () => set(offsetMs),
      () => set(0),
    )
    return `${writer.post.name} by ${offsetMs / minuteMs} min`
  },
}

const writerJoins: Fault = {
  name: 'writer joins and leaves',
  weight: 2,
  forMs: [4_000, 7_000],
  strike: async (scene: Scene) => {
    let leave: () => Promise<void> = () => Promise.resolve()
    await heldBetween(
      scene,
      async () => void (leave = await scene.system.joinWriter()),
      () => leave(),
    )
    return 'one more writer'
  },
}

export const processFaults: readonly Fault[] = [
  ...(['writer', 'projector', 'snapshotter'] as const).flatMap((kind) => [
    killed(kind),
    frozen(kind, 'frozen', shortly),
    frozen(kind, 'zombie', asZombie),
  ]),
  clockJumps,
  writerJoins,
]
