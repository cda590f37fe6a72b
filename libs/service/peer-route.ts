import { Type } from '@sinclair/typebox'

import { type HttpRoutes } from '#http'

/** Services whose instances share out partitions in a group. */
export type PeerRole = 'writer' | 'snapshotter' | 'projector'

/** Where an instance answers who it is. */
export const peerPath = (role: PeerRole): string => `/peers/${role}`

const schemaOf = (role: PeerRole) => ({
  tags: ['operations'],
  summary: `Which member of the group of ${role}s answers here`,
  description:
    'Other instances ask before they send anything to a URL that a member of the group advertises: an answer that differs from what the group says is not followed.',
  response: {
    200: Type.Object(
      {
        clusterId: Type.String({ description: 'Of the Kafka cluster' }),
        groupId: Type.String({ description: 'Consumer group' }),
        instance: Type.String({ description: 'Of this process, chosen at random when it starts' }),
      },
      { description: 'The member' },
    ),
  },
})

/** Proves to other instances that this one is where it says. */
export const peerRoute = (
  role: PeerRole,
  identity: { readonly clusterId: string; readonly groupId: string; readonly instance: string },
): HttpRoutes =>
  function routes(app) {
    app.get(peerPath(role), { schema: schemaOf(role) }, () => Promise.resolve(identity))
    return Promise.resolve()
  }

/** Several routes as one. */
export const allRoutes = (...all: readonly HttpRoutes[]): HttpRoutes =>
  async function routes(app) {
    for (const each of all) await app.register(each)
  }
