import { LogError } from '#kafka'

/** Whether another owner has taken the partition over. */
export const isFenced = (error: unknown): error is LogError =>
  error instanceof LogError && error.outcome === 'fenced'

/** Whether an error ends the term: the fence is lost, or the log was replaced. The term survives any other failure. */
export const endsTerm = (error: unknown): boolean =>
  error instanceof LogError && ['fenced', 'unknown', 'take-over', 'log-replaced'].includes(error.outcome)
