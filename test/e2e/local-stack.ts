import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stackLogins } from '#config'

import { portVariables } from '../../scripts/local/settings.ts'
import { readState, type StackState } from '../../scripts/local/state.ts'
import {
  freePorts,
  provideSecrets,
  repository,
  stackFolders,
  type StackFolders,
} from '../../scripts/stack/index.ts'

/** The output and exit code of a script. */
interface Ended {
  readonly exitCode: number | null
  readonly output: string
}

/** start.sh and stop.sh with their own state folder and ports, isolated from other stacks. */
export interface LocalStack {
  readonly folders: StackFolders
  readonly env: Readonly<Record<string, string>>
  /** Runs a script of scripts/ until it ends. */
  run(
    script: 'start.sh' | 'stop.sh',
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Ended>
  /** Starts start.sh in the foreground. `output` grows as it prints. */
  foreground(): { readonly process: ChildProcess; readonly output: () => string }
  state(): StackState
  /** Variables with the addresses and the logins of its servers, for a program that knows nothing of the stack. */
  servers(): Readonly<Record<'ANNALS_KAFKA_BROKERS' | 'ANNALS_REDIS_URL' | 'ANNALS_REGISTRY_URL', string>>
  /** Stops everything that runs and deletes the folder. */
  remove(): Promise<void>
}

/** Prepares folders and ports for a local stack without starting it. */
export async function localStack(): Promise<LocalStack> {
  const home = await mkdtemp(join(tmpdir(), 'annals-e2e-'))
  const folders = stackFolders(home)
  const variables = Object.values(portVariables).map(({ variable }) => variable)
  const ports = await freePorts(variables.length)
  const env: Readonly<Record<string, string>> = {
    ANNALS_HOME: home,
    ...Object.fromEntries(variables.map((variable, index) => [variable, String(ports[index])])),
  }
  const start = (script: string, args: readonly string[], more: Readonly<Record<string, string>>) =>
    collect(join(repository, 'scripts', script), args, { ...env, ...more })
  const run: LocalStack['run'] = async (script, args = [], more = {}) => {
    const { process, output } = start(script, args, more)
    const [exitCode] = (await once(process, 'close')) as [number | null]
    return { exitCode, output: output() }
  }
  return {
    folders,
    env,
    run,
    foreground: () => start('start.sh', ['--no-demo'], {}),
    state: () => {
      const state = readState(folders)
      if (state === undefined) throw new Error('no stack is running')
      return state
    },
    servers: () => {
      const port = (name: keyof typeof portVariables) => env[portVariables[name].variable] ?? ''
      const addresses = {
        ANNALS_KAFKA_BROKERS: `127.0.0.1:${port('kafka')}`,
        ANNALS_REDIS_URL: `redis://127.0.0.1:${port('redis')}`,
        ANNALS_REGISTRY_URL: `http://127.0.0.1:${port('registry')}/apis/ccompat/v7`,
      }
      const own = { kafka: addresses.ANNALS_KAFKA_BROKERS, redis: addresses.ANNALS_REDIS_URL }
      return { ...addresses, ...stackLogins(addresses, own, provideSecrets(folders)) }
    },
    remove: async () => {
      await run('stop.sh')
      await rm(home, { recursive: true, force: true })
    },
  }
}

function collect(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  // A separate process group, as a shell gives to a foreground job: Ctrl-C reaches the whole group.
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const take = (chunk: Buffer) => (output += chunk.toString('utf8'))
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return { process: child, output: () => output }
}

/** All processes that a state lists: the supervisor and the servers. */
export function pidsOf(state: StackState): number[] {
  return [state.supervisorPid, ...state.parts.flatMap(({ pids }) => pids)]
}
