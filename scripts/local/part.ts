import type { Report } from '../stack/index.ts'
import type { PortName } from './settings.ts'

/** A running part of the stack. */
export interface RunningPart {
  readonly name: string
  /** The address it listens on: `host:port` or URL. */
  readonly address: string
  readonly pids: readonly number[]
  /** Whether it asks for the stack's own password (`.annals/secrets`). */
  readonly needsLogin?: boolean
  /** Resolves with the reason and the log to read, if it ends unexpectedly. */
  readonly ended: Promise<string>
  readonly healthy: () => Promise<boolean>
  readonly stop: () => Promise<void>
}

/** A part of the stack that can be started. */
export interface Part {
  readonly name: string
  /** Ports of this machine that it listens on. */
  readonly ports: readonly PortName[]
  /** @param changed called when the processes of a part have changed */
  readonly start: (report: Report, changed: () => void) => Promise<readonly RunningPart[]>
}
