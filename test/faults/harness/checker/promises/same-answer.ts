import type { AppendOperation } from '../../history.ts'
import type { Promised } from './promised.ts'

type Answer = Extract<AppendOperation['outcome'], { is: 'acknowledged' }>

/** A repeated append gets the first response again, and only one of the responses is not marked as a duplicate. */
export const sameAnswer: Promised = {
  name: 'duplicates get the first answer',
  *broken(evidence) {
    const acknowledged = evidence.operations.filter(
      (operation) => operation.kind === 'append' && operation.outcome.is === 'acknowledged',
    ) as (AppendOperation & { outcome: Answer })[]
    for (const again of Map.groupBy(acknowledged, requestOf).values()) {
      const [first, ...others] = again
      if (first === undefined) continue
      const { streamId } = first
      for (const other of others) {
        if (textOf(other.outcome) === textOf(first.outcome)) continue
        const [expected, found] = [textOf(first.outcome), textOf(other.outcome)]
        yield { where: streamId, streamId, expected, found, operations: [first, other] }
      }
      const fresh = again.filter(({ outcome }) => !outcome.duplicate)
      if (fresh.length <= 1) continue
      const found = `${fresh.length} responses that it was appended now`
      yield {
        where: streamId,
        streamId,
        expected: 'one, and the others marked as duplicates',
        found,
        operations: fresh,
      }
    }
  },
}

const requestOf = ({ streamId, events }: AppendOperation): string =>
  [streamId, ...events.map(({ id }) => id)].join(' ')

const textOf = ({ firstVersion, lastVersion, position, eventIds }: Answer): string =>
  `versions ${firstVersion} to ${lastVersion} at ${position.topic}/${position.partition}/${position.offset}, events ${eventIds.join(', ')}`
