/** One thing that was looked at. `fail`: a promise may be broken. `warn`: it holds, with less room than it should have. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was looked at: `topic eventstore.order`. */
  readonly subject: string
  /** What was found, and what it means. */
  readonly message: string
  /** What to do; absent where all is well. */
  readonly remedy?: string
}

export const ok = (subject: string, message: string): Finding => ({ status: 'ok', subject, message })

export const warn = (subject: string, message: string, remedy: string): Finding => ({
  status: 'warn',
  subject,
  message,
  remedy,
})

export const fail = (subject: string, message: string, remedy: string): Finding => ({
  status: 'fail',
  subject,
  message,
  remedy,
})

/** What a check finds, or that it could not be made. */
export async function found(
  subject: string,
  remedy: string,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check()
  } catch (error) {
    return [fail(subject, error instanceof Error ? error.message : String(error), remedy)]
  }
}
