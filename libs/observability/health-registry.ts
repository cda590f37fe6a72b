import { deadlineIn, within } from '#async'

interface HealthCheck {
  readonly name: string
  /**
   * `liveness`: when it fails, only a restart helps. `readiness`: when it fails, requests should go elsewhere for now.
   * `part`: when it fails, the rest of the process continues, so it still takes requests.
   */
  readonly kind: 'liveness' | 'readiness' | 'part'
  /** How long the check may take before it counts as failed. Default 2,000. */
  readonly timeoutMs?: number
  /** Resolves when healthy, optionally with plain JSON details; rejects with the reason when not. */
  readonly check: (signal: AbortSignal) => unknown
}

/** The result of one check. */
interface CheckResult {
  readonly healthy: boolean
  /** Details that the check returned. */
  readonly details?: unknown
  /** Why it is not healthy. */
  readonly error?: string
  /** The latest failure, kept after recovery. */
  readonly lastError?: { readonly message: string; readonly at: string }
}

export interface HealthReport {
  readonly healthy: boolean
  /** False when requests should go elsewhere. A failing `part` alone leaves it true. */
  readonly takesRequests: boolean
  readonly checks: Readonly<Record<string, CheckResult>>
}

const timeoutMsDefault = 2_000

interface Registered extends HealthCheck {
  /** The run in progress. A check that hangs is not started again. */
  running?: Promise<CheckResult>
  lastError?: { readonly message: string; readonly at: string }
}

/** The health of a process: named checks that run on request. */
export class HealthRegistry {
  readonly #checks = new Map<string, Registered>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date()) {
    this.#now = now
  }

  /**
   * Registers a check.
   * @returns a function that removes it
   * @throws Error when a check of this name exists already
   */
  add(check: HealthCheck): () => void {
    if (this.#checks.has(check.name)) throw new Error(`a health check named ${check.name} exists already`)
    this.#checks.set(check.name, { ...check })
    return () => this.#checks.delete(check.name)
  }

  /** Whether the process should be kept running. */
  live(): Promise<HealthReport> {
    return this.#report(({ kind }) => kind === 'liveness')
  }

  /** Whether the process should get requests now: every check counts. */
  ready(): Promise<HealthReport> {
    return this.#report(() => true)
  }

  async #report(counts: (check: Registered) => boolean): Promise<HealthReport> {
    const asked = [...this.#checks.values()].filter(counts)
    const results = await Promise.all(asked.map(async (it) => [it.name, await this.#ask(it)] as const))
    const failed = results.filter(([, { healthy }]) => !healthy).map(([name]) => name)
    return {
      healthy: failed.length === 0,
      takesRequests: failed.every((name) => this.#checks.get(name)?.kind === 'part'),
      checks: Object.fromEntries(results),
    }
  }

  #ask(check: Registered): Promise<CheckResult> {
    check.running ??= this.#run(check).finally(() => delete check.running)
    return check.running
  }

  async #run(check: Registered): Promise<CheckResult> {
    try {
      const details = await inTime(check)
      const { lastError } = check
      return { healthy: true, ...(details !== undefined && { details }), ...(lastError && { lastError }) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      check.lastError = { message, at: this.#now().toISOString() }
      return { healthy: false, error: message, lastError: check.lastError }
    }
  }
}

function inTime({ check, timeoutMs = timeoutMsDefault }: HealthCheck): Promise<unknown> {
  const late = new AbortController()
  const answer = Promise.resolve().then(() => check(late.signal))
  return within(deadlineIn(timeoutMs), answer, () => {
    const error = new Error(`no answer within ${timeoutMs} ms`)
    late.abort(error)
    return error
  })
}
