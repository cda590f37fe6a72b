import { Type } from '@sinclair/typebox'

import { type HttpRoutes } from '#http'

/** Services whose instances share partitions in a consumer group. */
export type PeerRole = 'writer' | 'snapshotter' | 'projector'

/** The path at which an instance identifies itself. */
export const peerPath = (role: PeerRole): string => `/peers/${role}`

const schemaOf = (role: PeerRole) => ({
  tags: ['operations'],
  summary: `Which member of the group of ${role}s answers here`,
  description:
    'Other instances request this before they send anything to a URL that a member of the group advertises. They do not use the URL if the answer differs from the group metadata.',
  response: {
    200: Type.Object(
      {
        clusterId: Type.String({ description: 'Of the Kafka cluster' }),
        groupId: Type.String({ description: 'Consumer group' }),
        instance: Type.String({ description: 'Id of this process, chosen at random at start' }),
      },
      { description: 'The member' },
    ),
  },
})

/** Proves to other instances that this one is at the URL it advertises. */
export const peerRoute = (
  role: PeerRole,
  identity: { readonly clusterId: string; readonly groupId: string; readonly instance: string },
): HttpRoutes =>
  function routes(app) {
    app.get(peerPath(role), { schema: schemaOf(role), config: { access: 'public' } }, () =>
      Promise.resolve(identity),
    )
    return Promise.resolve()
  }

/** Merges several routes into one. */
export const allRoutes = (...all: readonly HttpRoutes[]): HttpRoutes =>
  async function routes(app) {
    for (const each of all) await app.register(each)
  }
