import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installByApt } from './apt.ts'
import { givenUp } from './give-up.ts'
import { setPassword } from './postgres-password.ts'
import { makePrivateFolder, privateFileMode } from './private-files.ts'
import { ask } from './probes.ts'
import { runCommand } from './run-command.ts'
import { type Report, type Server, startServer } from './server.ts'
import { StackError } from './stack-error.ts'

const initMsMax = 60_000
const debianFolder = '/usr/lib/postgresql'
const role = 'annals'

/** A running PostgreSQL with one role, `annals`. */
export interface Postgres extends Server {
  /** `postgres://annals@host:port/postgres`, without the password. */
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
  /** The password of its role; without one, every program of this machine gets in. Data of a start without one are upgraded. */
  readonly password?: string | undefined
  /** PEM files; with them and a password, it accepts connections by TLS only. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly report?: Report | undefined
}

type User = { readonly uid: number; readonly gid: number }

/**
 * Starts the system's PostgreSQL on its own folder. PostgreSQL does not run as root, so in that case it runs as the
 * user postgres, who must be able to enter the folder.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { port, folder, logFile, passage = [], password, tls, report } = options
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
  if (password !== undefined) {
    await setPassword({ program: join(programs, 'postgres'), folder, data, role, password, user })
    writeRules(data, tls !== undefined)
  }
  const server = await startServer({
    name: 'PostgreSQL',
    command: join(programs, 'postgres'),
    args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...tlsSettings(tls, folder, user)],
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

/** Who gets in, and how. The file keeps its owner, who runs PostgreSQL. */
function writeRules(data: string, hasTls: boolean): void {
  const rule = `${hasTls ? 'hostssl' : 'host'} all all 127.0.0.1/32 scram-sha-256`
  writeFileSync(join(data, 'pg_hba.conf'), `# Annals writes this file at every start.\n${rule}\n`)
}

/** PostgreSQL reads a private key only if it is the user's own. */
function tlsSettings(tls: PostgresOptions['tls'], folder: string, user: User | undefined): string[] {
  if (tls === undefined) return []
  const [certFile, keyFile] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  copyFileSync(tls.certFile, certFile)
  copyFileSync(tls.keyFile, keyFile)
  for (const file of [certFile, keyFile]) {
    chmodSync(file, privateFileMode)
    if (user !== undefined) chownSync(file, user.uid, user.gid)
  }
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${certFile}`, '-c', `ssl_key_file=${keyFile}`]
}

/**
 * Sends a start-up packet. It accepts connections once it asks for a login or lets this one in (`R`), or rejects it as
 * not encrypted (28000).
 */
async function accepts(port: number): Promise<boolean> {
  const parameters = `user\0${role}\0database\0postgres\0\0`
  const packet = Buffer.alloc(8 + parameters.length)
  packet.writeInt32BE(packet.length)
  packet.writeInt32BE(3 << 16, 4)
  packet.write(parameters, 8)
  const answer = await ask({ host: '127.0.0.1', port }, packet, ({ length }) => length > 0)
  return /^(R|E[^]*\0C28000\0)/.test(answer.toString('latin1'))
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
