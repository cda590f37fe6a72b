/** One result of a check. `fail`: a guarantee may be broken. `warn`: it holds, with too little margin. */
export interface DoctorFinding {
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was checked: `topic eventstore.order`. */
  readonly subject: string
  /** The result, and what it means. */
  readonly message: string
  /** What to do; absent for `ok`. */
  readonly remedy?: string
}

export const ok = (subject: string, message: string): DoctorFinding => ({ status: 'ok', subject, message })

export const warn = (subject: string, message: string, remedy: string): DoctorFinding => ({
  status: 'warn',
  subject,
  message,
  remedy,
})

export const fail = (subject: string, message: string, remedy: string): DoctorFinding => ({
  status: 'fail',
  subject,
  message,
  remedy,
})

/** The findings of a check, or a failure if it cannot run. */
export async function findingsOf(
  subject: string,
  remedy: string,
  check: () => Promise<readonly DoctorFinding[]>,
): Promise<readonly DoctorFinding[]> {
  try {
    return await check()
  } catch (error) {
    return [fail(subject, error instanceof Error ? error.message : String(error), remedy)]
  }
}
