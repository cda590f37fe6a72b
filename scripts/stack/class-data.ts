/**
 * Class-data archives (AppCDS). An archive holds the classes of a server, parsed and verified: a start that uses one
 * needs half of the processor time. The first start of a program records the classes it loads, and writes the archive
 * once it is healthy. A missing archive never prevents a start, and Java ignores one that does not fit.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { classDataFolder } from './folders.ts'
import { givenUp } from './give-up.ts'
import { isAlive } from './is-alive.ts'
import { javaVersionText } from './java.ts'
import { makePrivateFolder, privateFileMode } from './private-files.ts'
import { runCommand } from './run-command.ts'
import type { Server } from './server.ts'

const dumpMsMax = 120_000
const suffix = '.jsa'
const incoming = '.incoming-'
// A Java that does not know the second option starts all the same.
const recording = ['-XX:+IgnoreUnrecognizedVMOptions', '-XX:+RecordDynamicDumpInfo']

/** Java's options for a program of this distribution, such as a tool: its archive, if there is one. */
export function classDataOptions(distribution: string, folder: string = classDataFolder): readonly string[] {
  const archive = archiveOf(distribution, folder)
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []
}

/**
 * Starts a server with the archive of its distribution. If there is none, it writes one before it returns, unless
 * another process is writing it or the JDK's `jcmd` is missing.
 * @param distribution the folder with the server's jars
 * @param start starts the server with these additional options of Java; returns once it is healthy
 */
export async function withClassData<S extends Pick<Server, 'pid'>>(
  distribution: string,
  start: (options: readonly string[]) => Promise<S>,
  folder: string = classDataFolder,
): Promise<S> {
  const archive = archiveOf(distribution, folder)
  if (existsSync(archive)) return start(classDataOptions(distribution, folder))
  const draft = claimed(archive, folder)
  if (draft === undefined) return start([])
  try {
    if (!(await canDump())) return await start([])
    const server = await start(recording)
    await dump(server.pid, draft, archive, folder)
    return server
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Java rejects an archive of another Java or of other jars, so both are part of the name. */
function archiveOf(distribution: string, folder: string): string {
  const hash = createHash('sha256').update(javaVersionText())
  const files = readdirSync(distribution, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.jar')).sort()) {
    const { size, mtimeMs } = statSync(join(distribution, file))
    hash.update(`${join(distribution, file)} ${size} ${mtimeMs}\n`)
  }
  return join(folder, `${basename(distribution)}-${hash.digest('hex').slice(0, 16)}${suffix}`)
}

/** The file to write this archive to; undefined if a process that is alive is writing it. */
function claimed(archive: string, folder: string): string | undefined {
  makePrivateFolder(folder)
  for (const entry of readdirSync(folder).filter((name) => name.startsWith(incoming))) {
    const pid = Number(entry.slice(incoming.length).split('-', 1)[0])
    if (!isAlive(pid)) rmSync(join(folder, entry), { force: true })
    else if (entry.endsWith(basename(archive))) return undefined
  }
  const draft = join(folder, `${incoming}${process.pid}-${basename(archive)}`)
  writeFileSync(draft, '', { mode: privateFileMode })
  return draft
}

async function canDump(): Promise<boolean> {
  return runCommand('jcmd', ['-h'], { timeoutMs: dumpMsMax, signal: givenUp }).then(
    () => true,
    () => false,
  )
}

/** The server stands still meanwhile, for some seconds. A failure leaves no archive, and the next start tries again. */
async function dump(pid: number, draft: string, archive: string, folder: string): Promise<void> {
  try {
    const request = [String(pid), 'VM.cds', 'dynamic_dump', draft]
    await runCommand('jcmd', request, { timeoutMs: dumpMsMax, signal: givenUp })
    if (statSync(draft).size === 0) return
    removePrevious(archive, folder)
    renameSync(draft, archive)
  } catch {
    // The server runs; only its later starts are slower.
  }
}

/** Removes archives of the same distribution for another Java or other jars. */
function removePrevious(archive: string, folder: string): void {
  const name = basename(archive).slice(0, -(16 + suffix.length))
  for (const entry of readdirSync(folder))
    if (entry.startsWith(name) && entry.endsWith(suffix)) rmSync(join(folder, entry), { force: true })
}
