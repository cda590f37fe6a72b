import { test } from 'vitest'

import { versions } from '../../scripts/stack/index.ts'
import { expectPausedOwnerHarmless } from '../support/kafka/paused-owner-check.ts'

test(
  'an owner paused before its produce request until its id is forgotten loses and duplicates nothing',
  { timeout: 300_000 },
  () => expectPausedOwnerHarmless(versions.kafka),
)
