import { isDeepStrictEqual } from 'node:util'

import type { Promised } from './promised.ts'

/** Every event in the log was sent by a client, with the same content. */
export const nothingUnasked: Promised = {
  name: 'the log holds what was sent',
  *broken(evidence) {
    for (const event of evidence.remains.log) {
      const { streamId, id, type, data } = event
      const operations = evidence.appendsOf(event)
      const sent = operations.flatMap(({ events }) => events.filter((each) => each.id === id))
      if (sent.some((each) => each.type === type && isDeepStrictEqual(each.data, data))) continue
      yield {
        where: streamId,
        streamId,
        expected: sent.length === 0 ? `no event ${id}: no client sent it` : JSON.stringify(sent[0]),
        found: JSON.stringify({ id, type, data }),
        operations,
      }
    }
  },
}
