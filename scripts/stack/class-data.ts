/**
 * Class-data archives (AppCDS). An archive holds the classes of a server, parsed and verified: a start that uses one
 * needs half of the processor time. It is written after the first start, from the classes that the healthy server has
 * loaded. A missing archive never prevents a start, and Java ignores one that does not fit.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { classDataFolder } from './folders.ts'
import { givenUp } from './give-up.ts'
import { isAlive } from './is-alive.ts'
import { javaVersionText } from './java.ts'
import { makePrivateFolder, privateFileMode } from './private-files.ts'
import { runCommand } from './run-command.ts'
import type { Report, Server } from './server.ts'

const dumpMsMax = 300_000
const waitMsMax = 30_000
const suffix = '.jsa'
const hashLength = 16
const incoming = '.incoming-'

interface KeepOptions {
  /** The server's current folder, to which Java writes the output of a dump. */
  readonly cwd: string
  readonly report?: Report | undefined
  readonly folder?: string
}

/** Java's options for a program of this distribution, such as a tool: its archive, if there is one. */
export function classDataOptions(distribution: string, folder: string = classDataFolder): readonly string[] {
  const archive = archiveOf(distribution, folder)
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []
}

/**
 * Writes the archive of a healthy server, unless there is one or another process is writing it. The server goes on
 * serving. A failure, such as a Java without `jcmd`, leaves no archive, and the next start tries again. This takes some
 * seconds, and on a busy machine minutes: after 30 s it returns and the dump continues.
 * @param distribution the folder with the server's jars
 */
export async function keepClassData(
  distribution: string,
  { name, pid }: Pick<Server, 'name' | 'pid'>,
  { cwd, report, folder = classDataFolder }: KeepOptions,
): Promise<void> {
  const archive = archiveOf(distribution, folder)
  if (existsSync(archive)) return
  const draft = claimed(archive, folder)
  if (draft === undefined) return
  report?.(`Archiving the classes of ${name} for quicker starts; this happens once and takes some seconds`)
  const patience = new AbortController()
  const kept = dump(pid, draft, archive).finally(() => {
    remove(folder, (entry) => entry.startsWith(basename(draft)))
    remove(cwd, (entry) => entry.startsWith(`java_pid${pid}_static`))
    patience.abort()
  })
  const waited = sleep(waitMsMax, undefined, { signal: patience.signal }).catch(() => undefined)
  await Promise.race([kept, waited])
}

async function dump(pid: number, draft: string, archive: string): Promise<void> {
  const request = [String(pid), 'VM.cds', 'static_dump', draft]
  try {
    await runCommand('jcmd', request, { timeoutMs: dumpMsMax, signal: givenUp })
    if (statSync(draft).size === 0) return
    const previous = basename(archive).slice(0, -(hashLength + suffix.length))
    remove(dirname(archive), (entry) => entry.startsWith(previous) && entry.endsWith(suffix))
    renameSync(draft, archive)
  } catch {
    // The server runs; only its later starts are slower.
  }
}

function remove(folder: string, isMeant: (entry: string) => boolean): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder).filter(isMeant)) rmSync(join(folder, entry), { force: true })
}

/** Java rejects an archive of another Java or of other jars, so both are part of the name. */
function archiveOf(distribution: string, folder: string): string {
  const hash = createHash('sha256').update(javaVersionText())
  const files = readdirSync(distribution, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.jar')).sort()) {
    const { size, mtimeMs } = statSync(join(distribution, file))
    hash.update(`${join(distribution, file)} ${size} ${mtimeMs}\n`)
  }
  return join(folder, `${basename(distribution)}-${hash.digest('hex').slice(0, hashLength)}${suffix}`)
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
