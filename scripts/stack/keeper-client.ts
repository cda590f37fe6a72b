import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { giveUp, givenUp } from './give-up.ts'
import type { Exit, KeeperReply, ServerCommand } from './keeper-protocol.ts'
import { StackError } from './stack-error.ts'

export interface KeptProcess {
  readonly pid: number
  readonly exited: Promise<Exit>
}

interface Waiting {
  readonly started: (pid: number) => void
  readonly failed: (message: string) => void
  readonly exited: (exit: Exit) => void
  pid?: number
}

interface Keeper {
  readonly process: ChildProcess
  readonly servers: Map<number, Waiting>
}

const keeperFile = fileURLToPath(new URL('keeper.ts', import.meta.url))
let current: Keeper | undefined
let lastId = 0

/**
 * Runs a program under the keeper of this process. It ends when this process ends, for whatever reason.
 * @throws StackError when the program cannot be started
 */
export function keep(command: ServerCommand): Promise<KeptProcess> {
  if (givenUp.aborted) return Promise.reject(new StackError('The start was cancelled'))
  current ??= openKeeper()
  const keeper = current
  const id = ++lastId
  return new Promise((resolve, reject) => {
    let exited: (exit: Exit) => void = () => undefined
    const exit = new Promise<Exit>((done) => (exited = done))
    keeper.servers.set(id, {
      started: (pid) => resolve({ pid, exited: exit }),
      failed: (message) => reject(new StackError(`Cannot run ${command.command}: ${message}`)),
      exited,
    })
    keeper.process.send({ id, ...command })
  })
}

function openKeeper(): Keeper {
  // A separate session: a Ctrl-C on the terminal must reach the supervisor only.
  const process = fork(keeperFile, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  })
  const keeper: Keeper = { process, servers: new Map() }
  process.on('message', (reply) => hear(keeper, reply as KeeperReply))
  process.once('error', (error) => endWithout(keeper, error.message))
  process.once('exit', () => endWithout(keeper, 'the keeper ended'))
  return keeper
}

function hear(keeper: Keeper, reply: KeeperReply): void {
  const server = keeper.servers.get(reply.id)
  if (server === undefined) return
  switch (reply.event) {
    case 'started':
      server.pid = reply.pid
      server.started(reply.pid)
      return
    case 'failed':
      server.failed(reply.message)
      break
    case 'exited':
      server.exited({ code: reply.code, signal: reply.signal })
  }
  keeper.servers.delete(reply.id)
  if (keeper.servers.size === 0) closeKeeper(keeper)
}

/**
 * Prevents any further start of servers, and ends all servers of this process at once, in no order; returns when they
 * have ended.
 */
export async function endKept(): Promise<void> {
  giveUp()
  const keeper = current
  if (keeper === undefined) return
  const ended = new Promise((resolve) => keeper.process.once('exit', resolve))
  closeKeeper(keeper)
  await ended
}

/** A keeper without servers is released, so that it does not keep its parent's event loop alive. */
function closeKeeper(keeper: Keeper): void {
  if (current === keeper) current = undefined
  if (keeper.process.connected) keeper.process.disconnect()
}

/** A killed keeper cannot end its servers, so this process does it. */
function endWithout(keeper: Keeper, message: string): void {
  if (current === keeper) current = undefined
  for (const server of keeper.servers.values()) {
    if (server.pid !== undefined) signal(server.pid, 'SIGKILL')
    server.failed(message)
    server.exited({ code: null, signal: 'SIGKILL' })
  }
  keeper.servers.clear()
}

/** Sends a signal. A process that has ended already is ignored. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
