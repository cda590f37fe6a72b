import { viewStoreContract } from '#projections/testing'

import { InMemoryViewStore } from './in-memory-view-store.ts'

viewStoreContract('in memory', ({ now }) => ({ store: new InMemoryViewStore({ now }) }))
