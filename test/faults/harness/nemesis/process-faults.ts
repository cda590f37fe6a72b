import { writeFileSync } from 'node:fs'

import { until } from '../../../../scripts/stack/index.ts'
import type { LinkedService } from '../cluster/linked-service.ts'
import type { ServiceKind } from '../cluster/service-post.ts'
import { forgetAfterMs } from '../cluster/servers.ts'
import type { System } from '../cluster/system.ts'
import type { Traits } from '../cluster/traits.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

const servicesOf = (system: System, kind: ServiceKind): readonly LinkedService[] =>
  system.services.filter(({ post }) => post.kind === kind)

/** SIGKILL; another process starts at once. */
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

/** SIGSTOP and SIGCONT. After more than six seconds others have taken over by the time it resumes: a zombie. */
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
const armedMsMax = 3_000

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

/**
 * Pauses a writer between its decision and its produce request, for longer than a session lasts, and than forgetful
 * brokers remember its id.
 */
const paused = (name: string, weight: number, isPossible: (traits: Traits) => boolean): Fault => ({
  name,
  weight,
  forMs: [forgetAfterMs + 1_500, forgetAfterMs + 5_000],
  isPossible,
  strike: async (scene) => {
    const writer = scene.random.pick(scene.system.writers)
    const hold = scene.system.holdOf(writer)
    const isHeld = () => Promise.resolve(hold.isHeld)
    let held = false
    try {
      hold.arm()
      held = await until('a writer stops at its produce request', armedMsMax, isHeld).catch(() => false)
      if (held) await scene.hold()
    } finally {
      hold.release()
    }
    return held ? writer.post.name : `${writer.post.name} had nothing to append`
  },
})

export const processFaults: readonly Fault[] = [
  ...(['writer', 'projector', 'snapshotter'] as const).flatMap((kind) => [
    killed(kind),
    frozen(kind, 'frozen', shortly),
    frozen(kind, 'zombie', asZombie),
  ]),
  paused('writer paused before its append', 2, ({ forgetsIds }) => !forgetsIds),
  paused('writer paused before its append, its id forgotten', 8, ({ forgetsIds }) => forgetsIds),
  clockJumps,
  writerJoins,
]
