/** A program to run, as the keeper needs it. */
export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** In addition to the environment of the supervisor. */
  readonly env?: Readonly<Record<string, string>>
  /** Runs it as this user instead of the current one. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Standard output and error are appended to it. */
  readonly logFile: string
}

export interface KeeperRequest extends ServerCommand {
  readonly id: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type KeeperReply =
  | { readonly id: number; readonly event: 'started'; readonly pid: number }
  | { readonly id: number; readonly event: 'failed'; readonly message: string }
  | ({ readonly id: number; readonly event: 'exited' } & Exit)
