import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { loadConfig } from '#config'

import { nodeArguments } from '../../scripts/stack/index.ts'
import type { BenchStack } from '../bench-stack.ts'
import type { Load } from '../contenders/contender.ts'
import { startService } from '../contenders/service-process.ts'
import type { LoadAnswer, LoadRequest } from './load-messages.ts'

const program = join(import.meta.dirname, 'load-process.ts')
const balanceMsMax = 60_000
const pollMs = 100

/** Writers in processes of their own that share the partitions. Each process has callers for its own partitions. */
export async function startCores(stack: BenchStack, writers: number): Promise<Load> {
  const envs = Array.from({ length: writers }, (_, writer) => stack.envOf('bench-core', writer))
  const processes: LoadProcess[] = []
  // One after the other: those that join a group at the same time take partitions from each other.
  for (const env of envs) processes.push(await startProcess(['core'], env))
  const { partitions } = loadConfig(stack.envOf('bench-core')).kafka
  await untilShared(processes, partitions)
  return loadOf(processes)
}

/** Writers as services of their own that share the partitions, and as many processes with callers that use the SDK. */
export async function startHttps(stack: BenchStack, writers: number): Promise<Load> {
  const envs = Array.from({ length: writers }, (_, writer) => stack.envOf('bench-http', writer))
  const services = await Promise.all(envs.map((env) => startService('writer', env)))
  const urls = services.map(({ url }) => url).join(',')
  const processes = await Promise.all(envs.map(() => startProcess(['http', urls], {})))
  const { measure, close } = loadOf(processes)
  return {
    measure,
    close: async () => {
      await close()
      await Promise.all(services.map((service) => service.stop()))
    },
  }
}

interface LoadProcess {
  ask<Kind extends LoadAnswer['kind']>(
    request: LoadRequest,
    kind: Kind,
  ): Promise<Extract<LoadAnswer, { kind: Kind }>>
  close(): Promise<void>
}

async function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<LoadProcess> {
  const child = fork(program, args, {
    env: { ...process.env, ...env },
    execArgv: [...nodeArguments],
    serialization: 'advanced',
  })
  await nextAnswer(child, 'started')
  return {
    ask: (request, kind) => {
      const answer = nextAnswer(child, kind)
      child.send(request)
      return answer
    },
    close: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.send({ kind: 'close' } satisfies LoadRequest)
      await exited
    },
  }
}

async function nextAnswer<Kind extends LoadAnswer['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<LoadAnswer, { kind: Kind }>> {
  const listening = new AbortController()
  const { signal } = listening
  try {
    const answer = await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as LoadAnswer),
      once(child, 'exit', { signal }).then((): LoadAnswer => ({ kind: 'failed', reason: 'it has ended' })),
    ])
    if (isOf(answer, kind)) return answer
    throw new Error(`a process of the bench: ${answer.kind === 'failed' ? answer.reason : answer.kind}`)
  } finally {
    listening.abort()
  }
}

const isOf = <Kind extends LoadAnswer['kind']>(
  answer: LoadAnswer,
  kind: Kind,
): answer is Extract<LoadAnswer, { kind: Kind }> => answer.kind === kind

/** Waits until every process serves partitions, and together they serve all of them. */
async function untilShared(processes: readonly LoadProcess[], partitions: number): Promise<void> {
  const deadlineMs = performance.now() + balanceMsMax
  for (;;) {
    const answers = await Promise.all(processes.map((each) => each.ask({ kind: 'owned' }, 'owned')))
    const owned = answers.map((answer) => answer.owned)
    const isShared = owned.every((count) => count > 0)
    if (isShared && owned.reduce((sum, count) => sum + count, 0) === partitions) return
    if (performance.now() > deadlineMs)
      throw new Error(`the writers serve ${owned.join(' + ')} of ${partitions} partitions`)
    await sleep(pollMs)
  }
}

/** The callers are divided among the processes; with fewer callers than processes, some have none. */
const loadOf = (processes: readonly LoadProcess[]): Load => ({
  measure: async (callers, durationMs, run) => {
    const shares = sharesOf(callers, processes.length)
    const answers = await Promise.all(
      processes.flatMap((each, n) => {
        const share = shares[n] ?? 0
        if (share === 0) return []
        return [each.ask({ kind: 'measure', callers: share, durationMs, run: `${run}-p${n}` }, 'measured')]
      }),
    )
    return answers.map(({ samples }) => samples)
  },
  close: async () => {
    await Promise.all(processes.map((each) => each.close()))
  },
})

/** Divides callers among processes; the first ones get what remains. */
export const sharesOf = (callers: number, processes: number): readonly number[] =>
  Array.from(
    { length: processes },
    (_, n) => Math.floor(callers / processes) + (n < callers % processes ? 1 : 0),
  )
