import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { nodeArguments } from '../../scripts/stack/index.ts'
import type { FloodAnswer, FloodCounts, FloodRequest } from './flood-messages.ts'

const program = join(import.meta.dirname, 'flood-process.ts')

/** The flooding tenant, in a process of its own. */
export interface FloodProcess {
  /** Sends appends until {@link stop}. */
  start(key: string, perSecond: number): void
  stop(): Promise<FloodCounts>
  close(): Promise<void>
}

export async function startFloodProcess(url: string): Promise<FloodProcess> {
  const child = fork(program, [url], { execArgv: [...nodeArguments] })
  const send = (request: FloodRequest): void => void child.send(request)
  const next = async (): Promise<FloodAnswer> => {
    const waiting = new AbortController()
    const { signal } = waiting
    const exited = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the process of the flood ended with ${String(code)}`)
    })
    const answered = once(child, 'message', { signal }).then(([answer]) => answer as FloodAnswer)
    try {
      return await Promise.race([answered, exited])
    } finally {
      waiting.abort()
      await Promise.allSettled([answered, exited])
    }
  }
  await next()
  return {
    start: (key, perSecond) => send({ kind: 'start', key, perSecond }),
    stop: async () => {
      const answer = next()
      send({ kind: 'stop' })
      const stopped = await answer
      if (stopped.kind !== 'stopped') throw new Error(`the process of the flood answered ${stopped.kind}`)
      return stopped.counts
    },
    close: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      send({ kind: 'close' })
      await exited
    },
  }
}
