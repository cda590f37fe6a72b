import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/** The module to preload into a service under test, so that a {@link Hold} can stop it. */
export const holdModule = new URL('hold-produce.ts', import.meta.url).href

/** Stops a process between its decision and its produce request; see hold-produce.ts. */
export class Hold {
  /** The process gets it in its environment as TEST_HOLD_FILE. */
  readonly file: string

  constructor(file: string) {
    this.file = file
  }

  /** The next produce request will stop the process. */
  arm(): void {
    writeFileSync(this.file, 'armed')
  }

  get isHeld(): boolean {
    return existsSync(this.file) && readFileSync(this.file, 'utf8') === 'held'
  }

  /** Resumes the process, or disarms it. */
  release(): void {
    rmSync(this.file, { force: true })
  }
}
