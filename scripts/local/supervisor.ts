import { once } from 'node:events'
import {
  assertFree,
  endKept,
  makePrivateStack,
  provideNativeTools,
  type Report,
  StackError,
} from '../stack/index.ts'
import { type Control, openControl, type Status } from './control.ts'
import type { Part, RunningPart } from './part.ts'
import { portVariables, type StackSettings } from './settings.ts'
import { stagesFor } from './stages.ts'
import { claimState, type PartState, removeState, type StackState, writeState } from './state.ts'

/**
 * Starts what the settings request. It runs until it gets a stop request (a signal, or stop.sh) or a server exits
 * unexpectedly, and then stops everything. The caller ensures that no other supervisor holds the state folder.
 * @param ready called once, with the state, when everything serves; not awaited when it is time to stop
 * @throws StackError when a part cannot start, or exited unexpectedly; nothing is left running
 */
export async function supervise(
  settings: StackSettings,
  report: Report,
  ready: (state: StackState) => Promise<void> | void,
): Promise<void> {
  const { folders } = settings
  const { signal, abort } = stopOrder()
  const stopped = once(signal, 'abort')
  const running: RunningPart[] = []
  const over = Promise.withResolvers<undefined>()
  const control = await openControl({
    status: () => statusOf(running),
    stop: () => {
      abort()
      return over.promise
    },
  })
  const claim = newState(settings, control)
  try {
    if (!claimState(folders, claim))
      throw new StackError('Another start is in progress. Try again when it is done.')
    try {
      makePrivateStack(folders)
      let state = claim
      const note = () =>
        writeState(folders, (state = { ...claim, ready: true, parts: running.map(partState) }))
      const changed = () => {
        if (state.ready && !signal.aborted) note()
      }
      await startAll(settings, { report, changed }, running, signal)
      note()
      const shown = Promise.resolve(ready(state)).then(() => stopped)
      await Promise.race([stopped, shown, ...running.map((part) => part.ended.then(endedByItself))])
    } finally {
      await stopAll(running, report)
      removeState(folders)
    }
  } catch (error) {
    // An error caused by a stop request is not a failure.
    if (!signal.aborted) throw error
  } finally {
    over.resolve(undefined)
    control.close()
  }
}

/** Receives what happens to the parts. */
interface Listener {
  readonly report: Report
  readonly changed: () => void
}

/**
 * The stop request: from Ctrl-C, a signal or the control port. A second Ctrl-C exits at once; the keeper then ends the
 * servers.
 */
function stopOrder() {
  const controller = new AbortController()
  const abort = () => controller.abort()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => (controller.signal.aborted ? process.exit(130) : abort()))
  return { signal: controller.signal, abort }
}

function newState({ kind }: StackSettings, { port, token }: Control): StackState {
  const startedAt = new Date().toISOString()
  return { kind, supervisorPid: process.pid, controlPort: port, token, startedAt, ready: false, parts: [] }
}

/** Starts stage after stage into `running`; fails as soon as one part fails or a stop is requested. */
async function startAll(
  settings: StackSettings,
  listener: Listener,
  running: RunningPart[],
  stop: AbortSignal,
): Promise<void> {
  const stages = stagesFor(settings)
  const parts = stages.flat()
  const ports = parts.flatMap((part) => part.ports.map((name) => wish(settings, part, name)))
  if (parts.some(startsServer)) provideNativeTools(listener.report)
  await assertFree(ports)
  const giveUp = () => void endKept()
  stop.addEventListener('abort', giveUp)
  for (const stage of stages) running.push(...(await startStage(stage, listener)))
  stop.removeEventListener('abort', giveUp)
  stop.throwIfAborted()
}

async function startStage(stage: readonly Part[], { report, changed }: Listener): Promise<RunningPart[]> {
  let first: unknown
  const tries = await Promise.allSettled(
    stage.map((part) =>
      part.start(report, changed).catch(async (error: unknown) => {
        first ??= error
        await endKept()
        throw error
      }),
    ),
  )
  const started = tries.flatMap((attempt) => (attempt.status === 'fulfilled' ? attempt.value : []))
  if (first === undefined) return started
  await stopAll(started, () => undefined)
  throw first as Error
}

/** Services need only Node, which is installed. */
function startsServer({ ports }: Part): boolean {
  return ports.some((port) => port !== 'platform')
}

function partState({ name, address, pids, needsLogin = false }: RunningPart): PartState {
  return { name, address, pids, ...(needsLogin && { needsLogin }) }
}

function wish(settings: StackSettings, part: Part, name: Part['ports'][number]) {
  return { port: settings.ports[name], wantedBy: part.name, variable: portVariables[name].variable }
}

function endedByItself(how: string): never {
  throw new StackError(how)
}

async function stopAll(running: readonly RunningPart[], report: Report): Promise<void> {
  for (const part of running.toReversed()) {
    // A server that is managed elsewhere keeps running.
    const isOurs = part.pids.length > 0
    await part.stop()
    if (isOurs) report(`${part.name} has stopped`)
  }
}

async function statusOf(running: readonly RunningPart[]): Promise<Status> {
  const healthy = await Promise.all(running.map((part) => part.healthy().catch(() => false)))
  return { unhealthy: running.filter((_, index) => healthy[index] !== true).map(({ name }) => name) }
}
