import { deadlineIn, within } from '#async'

export interface HealthCheck {
  readonly name: string
  /**
   * `liveness`: where it fails, only a restart helps. `readiness`: requests should go elsewhere for now. `part`: what the process
   * does beside it goes on, so requests may still come.
   */
  readonly kind: 'liveness' | 'readiness' | 'part'
  /** How long the check may take before it counts as failed. Default 2,000. */
  readonly timeoutMs?: number
  /** Resolves when all is well, maybe to something worth telling as plain JSON; rejects with the reason when not. */
  readonly check: (signal: AbortSignal) => unknown
}

/** How one part is. */
export interface CheckResult {
  readonly healthy: boolean
  /** What the check told. */
  readonly details?: unknown
  /** Why it is not healthy. */
  readonly error?: string
  /** The latest failure, also when all is well again. */
  readonly lastError?: { readonly message: string; readonly at: string }
}

export interface HealthReport {
  readonly healthy: boolean
  /** False where requests should go elsewhere: also where a mere part fails they need not. */
  readonly takesRequests: boolean
  readonly checks: Readonly<Record<string, CheckResult>>
}

const timeoutMsDefault = 2_000

interface Registered extends HealthCheck {
  /** The round that is under way: a check that hangs is not started once more. */
  running?: Promise<CheckResult>
  lastError?: { readonly message: string; readonly at: string }
}

/** The health of a process: named checks, asked when somebody looks. */
export class HealthRegistry {
  readonly #checks = new Map<string, Registered>()
  readonly #now: () => Date

  constructor(now: () => Date = () => new Date()) {
    this.#now = now
  }

  /**
   * Registers a check.
   * @returns takes it out again
   * @throws Error when there is one of this name already
   */
  add(check: HealthCheck): () => void {
    if (this.#checks.has(check.name)) throw new Error(`there is a health check named ${check.name} already`)
    this.#checks.set(check.name, { ...check })
    return () => this.#checks.delete(check.name)
  }

  /** Whether the process should be left to run. */
  live(): Promise<HealthReport> {
    return this.#report(({ kind }) => kind === 'liveness')
  }

  /** Whether it should get requests now: every check counts. */
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
