import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { installByApt } from './apt.ts'
import { givenUp } from './give-up.ts'
import { makePrivateFolder } from './private-files.ts'
import { ask } from './probes.ts'
import { runCommand } from './run-command.ts'
import { type Report, type Server, startServer } from './server.ts'
import { StackError } from './stack-error.ts'

const initMsMax = 60_000
const debianFolder = '/usr/lib/postgresql'
const role = 'annals'

/** A running PostgreSQL with one role, `annals`, that needs no password on this machine. */
export interface Postgres extends Server {
  /** `postgres://annals@host:port/postgres`. */
  readonly url: string
}

interface PostgresOptions {
  readonly port: number
  readonly folder: string
  readonly logFile: string
  /**
   * Folders of the stack on the path to it. If another user runs it, that user's group gets permission to traverse
   * them, and no one else does.
   */
  readonly passage?: readonly string[]
  readonly report?: Report | undefined
}

type User = { readonly uid: number; readonly gid: number }

/**
 * Starts the system's PostgreSQL on its own folder. PostgreSQL does not run as root, so in that case it runs as the
 * user postgres, who must be able to enter the folder.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { port, folder, logFile, passage = [], report } = options
  const programs = providePrograms(report ?? (() => undefined))
  const user = unprivilegedUser()
  const data = join(folder, 'data')
  makePrivateFolder(folder)
  if (user !== undefined) giveTo(user, folder, passage)
  if (!existsSync(join(data, 'PG_VERSION'))) {
    const args = [
      '-D',
      data,
      '-U',
      role,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-instructions',
    ]
    await runCommand(join(programs, 'initdb'), args, {
      cwd: folder,
      isPrivate: true,
      timeoutMs: initMsMax,
      signal: givenUp,
      ...(user && { user }),
    })
  }
  const server = await startServer({
    name: 'PostgreSQL',
    command: join(programs, 'postgres'),
    args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', ''],
    cwd: folder,
    ...(user && { user }),
    logFile,
    report,
    // SIGTERM would wait for every client to disconnect.
    stopSignal: 'SIGINT',
    healthy: () => accepts(port),
  })
  return { ...server, url: `postgres://${role}@127.0.0.1:${port}/postgres` }
}

/** Sends a start-up packet. Any response other than an error (`E`) means that it accepts connections. */
async function accepts(port: number): Promise<boolean> {
  const parameters = `user\0${role}\0database\0postgres\0\0`
  const packet = Buffer.alloc(8 + parameters.length)
  packet.writeInt32BE(packet.length)
  packet.writeInt32BE(3 << 16, 4)
  packet.write(parameters, 8)
  const answer = await ask({ host: '127.0.0.1', port }, packet, ({ length }) => length > 0)
  return answer.toString('latin1', 0, 1) === 'R'
}

/** The folder of the programs, after installing them with apt if they are missing. */
function providePrograms(report: Report): string {
  const found = programFolder()
  if (found !== undefined) return found
  installByApt('postgresql', report)
  const installed = programFolder()
  if (installed !== undefined) return installed
  throw new StackError(
    'PostgreSQL is required and missing. Install it: Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql@15.',
  )
}

/** Debian keeps the server programs outside of the PATH, by major version; elsewhere they are on it. */
function programFolder(): string | undefined {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder) : []
  const newest = versions.sort((a, b) => Number(b) - Number(a)).find((v) => existsSync(programs(v, 'initdb')))
  if (newest !== undefined) return programs(newest)
  const found = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' })
  const folder = found.status === 0 ? found.stdout.trim() : undefined
  return folder !== undefined && existsSync(join(folder, 'initdb')) ? folder : undefined
}

function programs(version: string, name = ''): string {
  return join(debianFolder, version, 'bin', name)
}

function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = ['-u', '-g'].map(
    (which) => spawnSync('id', [which, 'postgres'], { encoding: 'utf8' }).stdout,
  )
  if (!uid || !gid)
    throw new StackError('PostgreSQL does not run as root, and there is no user postgres to run it as.')
  return { uid: Number(uid), gid: Number(gid) }
}

function giveTo({ uid, gid }: User, folder: string, passage: readonly string[]): void {
  chownSync(folder, uid, gid)
  for (const above of passage.filter((path) => (statSync(path).mode & 0o001) === 0)) {
    chownSync(above, -1, gid)
    chmodSync(above, 0o710)
  }
  const entered = spawnSync('test', ['-x', folder], { uid, gid }).status === 0
  if (entered) return
  throw new StackError(
    `PostgreSQL runs as the user postgres, who cannot enter ${folder}. Allow others to traverse the folders above it (chmod o+x), or move the stack: ANNALS_HOME=…`,
  )
}
