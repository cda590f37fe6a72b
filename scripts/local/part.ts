import type { Report } from '../stack/index.ts'
import type { PortName } from './settings.ts'

/** A part of the stack that runs. */
export interface RunningPart {
  readonly name: string
  /** Where it listens: `host:port` or URL. */
  readonly address: string
  readonly pids: readonly number[]
  /** Resolves, with how and where to look, if it ends by itself. */
  readonly ended: Promise<string>
  readonly healthy: () => Promise<boolean>
  readonly stop: () => Promise<void>
}

/** A part of the stack to start. */
export interface Part {
  readonly name: string
  /** Ports of this machine that it is going to listen on. */
  readonly ports: readonly PortName[]
  /** @param changed to be called when the processes of a part are others than before */
  readonly start: (report: Report, changed: () => void) => Promise<readonly RunningPart[]>
}
