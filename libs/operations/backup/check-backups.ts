import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { BackupError } from './backup-error.ts'
import { BackupFolder, type StoredBackup } from './backup-folder.ts'
import { type BackupFinding, bytesIn, checkChain } from './check-backup.ts'

export interface BackupFolderRequest {
  /** Folder of backups. */
  readonly folder: string
}

/** `interrupted`: the rest was not checked. */
export interface BackupsCheck {
  readonly status: 'checked' | 'interrupted'
  readonly backups: number
  readonly chains: number
  readonly bytes: number
  readonly findings: readonly BackupFinding[]
  readonly tookMs: number
}

/** Reads every file of all backups in a folder. It needs no cluster. @throws OperationError `no-backup`, `invalid-request` */
export function checkBackups(
  request: BackupFolderRequest,
  control: JobControl<'checking'>,
): Promise<BackupsCheck> {
  return timed(() => checkAll(request, control))
}

async function checkAll(
  { folder: path }: BackupFolderRequest,
  control: JobControl<'checking'>,
): Promise<Omit<BackupsCheck, 'tookMs'>> {
  const folder = await BackupFolder.open(path)
  const chains = await folder.chains()
  const bytes = await bytesIn(folder, chains)
  const progress = new PhaseProgress(control, { phase: 'checking', unit: 'bytes' }, bytes)
  const looked = { backups: chains.flat().length, chains: chains.length, bytes }
  const findings: BackupFinding[] = []
  const advance = (more: number) => progress.advance(more)
  try {
    control.signal.throwIfAborted()
    for (const ids of chains) {
      findings.push(
        ...(await checkChain(folder, ids, { readsRecords: true, advance, signal: control.signal })),
      )
    }
  } catch (error) {
    if (control.signal.aborted) return { status: 'interrupted', ...looked, findings }
    throw error
  }
  return { status: 'checked', ...looked, findings }
}

/** A backup as its manifest describes it, or why the manifest cannot be read. */
export type ListedBackup = StoredBackup | { readonly id: string; readonly problem: string }

/** All backups in a folder, oldest first, from their manifests. @throws OperationError `no-backup`, `invalid-request` */
export async function listBackups({ folder: path }: BackupFolderRequest): Promise<readonly ListedBackup[]> {
  const folder = await BackupFolder.open(path)
  return Promise.all((await folder.chains()).flat().map((id) => readOrProblem(folder, id)))
}

const readOrProblem = (folder: BackupFolder, id: string): Promise<ListedBackup> =>
  folder.read(id).catch((error: unknown) => {
    if (error instanceof BackupError) return { id, problem: error.message }
    throw error
  })
