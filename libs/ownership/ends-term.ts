import { LogError } from '#kafka'

/** Whether another owner has taken the partition over. */
export const isFenced = (error: unknown): error is LogError =>
  error instanceof LogError && error.outcome === 'fenced'

/** Whether the fence no longer stands, or not for this log. Any other failure leaves the term as it is. */
export const endsTerm = (error: unknown): boolean =>
  error instanceof LogError && ['fenced', 'unknown', 'take-over', 'log-replaced'].includes(error.outcome)
