import { isDeepStrictEqual } from 'node:util'

import type { LoggedEvent, ReadOperation, StateOperation } from '../../history.ts'
import type { Evidence } from '../evidence.ts'
import { type Totals, totalsAfterEach } from '../fold.ts'
import type { Finding } from '../violation.ts'
import type { Promised } from './promised.ts'

type Text = Pick<Finding, 'expected' | 'found'>

/**
 * A history is a contiguous part of the log, and a state is the fold of the events up to its version. Whether they
 * were current is another promise.
 */
export const trueReads: Promised = {
  name: 'reads say what the log says',
  *broken(evidence) {
    for (const streamId of evidence.streamIds) {
      const stream = new Stream(evidence.versions(streamId))
      for (const operation of readsOf(evidence, streamId)) {
        const wrong = operation.kind === 'read' ? stream.misread(operation) : stream.misfolded(operation)
        if (wrong !== undefined) yield { where: streamId, streamId, ...wrong, operations: [operation] }
      }
    }
  },
}

const readsOf = (evidence: Evidence, streamId: string): (ReadOperation | StateOperation)[] =>
  evidence.ofStream(streamId).filter((operation) => operation.kind !== 'append')

class Stream {
  readonly #events: readonly LoggedEvent[]
  #states: readonly Totals[] | undefined

  constructor(events: readonly LoggedEvent[]) {
    this.#events = events
  }

  misread({ fromVersion, outcome }: ReadOperation): Text | undefined {
    if (outcome.is !== 'answered') return undefined
    const wrong = outcome.events.findIndex(({ version, id }, index) => {
      const place = fromVersion + index
      return version !== place || this.#events[place - 1]?.id !== id
    })
    const read = outcome.events[wrong]
    if (read === undefined) return undefined
    const expected = this.#events[fromVersion + wrong - 1]
    return {
      expected:
        expected === undefined
          ? `nothing: the stream has ${this.#events.length} events`
          : `version ${fromVersion + wrong}, event ${expected.id}`,
      found: `version ${read.version}, event ${read.id}`,
    }
  }

  misfolded({ outcome }: StateOperation): Text | undefined {
    if (outcome.is !== 'answered' || outcome.version === 0) return undefined
    this.#states ??= totalsAfterEach(this.#events)
    const expected = this.#states[outcome.version]
    if (expected !== undefined && isDeepStrictEqual(outcome.state, expected)) return undefined
    return {
      expected: expected === undefined ? `at most version ${this.#events.length}` : JSON.stringify(expected),
      found: `version ${outcome.version}: ${JSON.stringify(outcome.state)}`,
    }
  }
}
