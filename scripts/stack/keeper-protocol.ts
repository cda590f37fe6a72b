/** A program to run: what the keeper needs to know of it. */
export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Beside the environment of the supervisor. */
  readonly env?: Readonly<Record<string, string>>
  /** Run as this user instead of one's own. */
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
