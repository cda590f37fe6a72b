import { BenchUsageError } from '../options.ts'

export const contenderNames = ['core', 'http', 'emmett', 'umadb', 'producer', 'limit'] as const
export type ContenderName = (typeof contenderNames)[number]

/** The contenders to run, in the order of the table. @throws BenchUsageError for an unknown name */
export function chosenContenders(given: readonly string[] | undefined): readonly ContenderName[] {
  if (given === undefined) return contenderNames
  const known: readonly string[] = contenderNames
  const unknown = given.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new BenchUsageError(`--contenders ${unknown}: expected some of ${contenderNames.join(', ')}`)
  return contenderNames.filter((name) => given.includes(name))
}

/** What an acknowledged append survives. */
export function durabilityOf(name: ContenderName, brokers: 1 | 3): string {
  switch (name) {
    case 'core':
    case 'http':
    case 'producer':
    case 'limit':
      return brokers === 1
        ? 'acks=all, 1 replica, page cache (no fsync)'
        : 'acks=all, 3 replicas, 2 in sync, page cache (no fsync)'
    case 'emmett':
      return '1 server, fsync at commit (fsync=on, synchronous_commit=on)'
    case 'umadb':
      return '1 server, fdatasync at commit'
  }
}
