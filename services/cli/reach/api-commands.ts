import type { ApiNeed, CommandReach } from './reach.ts'

const anyCredential = (service: ApiNeed['service']): ApiNeed => ({ service, actions: [] })

const reading: ApiNeed = { service: 'writer', actions: ['read'], on: 'stream' }
const readingCategory: ApiNeed = { service: 'writer', actions: ['read'], on: 'category' }
const appending: ApiNeed = { service: 'writer', actions: ['append'], on: 'stream' }
const viewing: ApiNeed = { service: 'projector', actions: ['view'], on: 'projection' }
const operatingSnapshots: ApiNeed = { service: 'snapshotter', actions: ['operate'], on: 'type' }

/** A right to name another user than the owner of the credential. */
const acting = (when: string): ApiNeed => ({
  ...{ service: 'writer', actions: ['annals:act-as'], on: 'user', when },
})

/** Also the right of `replay --to-projection`. */
export const operatingProjection: ApiNeed = {
  ...{ service: 'projector', actions: ['operate'], on: 'projection' },
}

/** Also what `replay --to-projection` watches. */
export const followingProjection: ApiNeed = {
  ...{ service: 'projector', actions: ['view', 'operate'], on: 'projection' },
}

const operates: CommandReach = { api: [operatingProjection] }

/** Commands that only send requests to services. */
export const apiCommands = {
  append: { api: [appending, acting('--user-id, --metadata with userId')] },
  export: {
    api: [
      { ...readingCategory, when: 'without --stream' },
      { ...reading, when: '--stream' },
    ],
  },
  import: {
    api: [
      { ...anyCredential('writer'), when: 'without --dry-run' },
      { ...appending, when: 'without --dry-run' },
      acting('events with userId'),
    ],
  },
  'import-rollback': { api: [readingCategory, { ...appending, when: 'without --dry-run' }] },
  'stream show': { api: [reading] },
  'stream history': { api: [reading] },
  'stream state': { api: [{ service: 'writer', actions: ['state'], on: 'stream' }] },
  'projection list': { api: [anyCredential('projector')] },
  'projection show': { api: [followingProjection] },
  'projection view': { api: [viewing] },
  'projection views': { api: [viewing] },
  'projection rebuild': { api: [operatingProjection, { ...followingProjection, when: 'without --no-wait' }] },
  'projection resume': operates,
  'projection discard': operates,
  'deadletters list': operates,
  'deadletters retry': operates,
  'deadletters drop': operates,
  'snapshot take': { api: [{ service: 'snapshotter', actions: ['operate'], on: 'stream' }] },
  'snapshot stats': { api: [anyCredential('snapshotter')] },
  'snapshot rebuild': { api: [operatingSnapshots] },
  'snapshot cleanup': { api: [operatingSnapshots] },
  owners: { api: [anyCredential('writer')] },
} as const satisfies Readonly<Record<string, CommandReach>>
