import { isDeepStrictEqual } from 'node:util'

import { totalsAfterEach } from '../fold.ts'
import type { Promised } from './promised.ts'

/** A snapshot is the fold of the events up to its version. */
export const trueSnapshots: Promised = {
  name: 'snapshots equal the fold',
  *broken(evidence) {
    for (const { from, streamId, version, state } of evidence.remains.snapshots) {
      const expected = totalsAfterEach(evidence.versions(streamId).slice(0, version))[version]
      if (version > 0 && expected !== undefined && isDeepStrictEqual(state, expected)) continue
      yield {
        where: `snapshot of ${streamId} at version ${version} (${from})`,
        streamId,
        expected:
          expected === undefined ? `none: the stream has no version ${version}` : JSON.stringify(expected),
        found: JSON.stringify(state),
        operations: [],
      }
    }
  },
}
