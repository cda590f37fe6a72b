import { isDeepStrictEqual } from 'node:util'

import { checkTlsTexts, readTlsFiles, type TlsFiles, type TlsMaterial, type TlsTexts } from './tls-files.ts'

interface TlsReloadOptions {
  readonly intervalMs: number
  /** Takes changed files. @throws when it cannot use them */
  readonly use: (material: TlsMaterial) => void
  /** Changed files cannot be used: called once for each problem. Must not throw. */
  readonly onProblem: (problem: string) => void
}

/**
 * Reads TLS files again and again, and reports changes. Contents are compared, not times, so it does not matter how a
 * file is replaced. A change counts once it was found twice in a row, because certificate and key are rarely replaced
 * at the same moment.
 */
export class TlsReload {
  readonly #files: TlsFiles
  readonly #options: TlsReloadOptions
  #used: TlsTexts
  #seen: TlsTexts | string | undefined
  #problem: string | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  /** @param used what the server uses now */
  constructor(files: TlsFiles, { cert, key, ca }: TlsTexts, options: TlsReloadOptions) {
    this.#files = files
    this.#used = { cert, key, ...(ca !== undefined && { ca }) }
    this.#options = options
  }

  start(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      void this.#look().then(() => this.start())
    }, this.#options.intervalMs).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const found = await readTlsFiles(this.#files).catch(messageOf)
    const isSettled = isDeepStrictEqual(found, this.#seen)
    this.#seen = found
    if (!isSettled || this.#isStopped) return
    if (typeof found === 'string') this.#report(found)
    else if (isDeepStrictEqual(found, this.#used)) this.#problem = undefined
    else this.#use(found)
  }

  #use(found: TlsTexts): void {
    try {
      this.#options.use(checkTlsTexts(this.#files, found))
      this.#used = found
      this.#problem = undefined
    } catch (error) {
      this.#report(messageOf(error))
    }
  }

  #report(problem: string): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#options.onProblem(problem)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
