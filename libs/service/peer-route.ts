import { Type } from '@sinclair/typebox'

import type { PeerTokens } from '#authentication'
import { type HttpRoutes } from '#http'

import { type ProvenPeer, provenText } from './peer-tokens.ts'

/** Services whose instances share partitions in a consumer group. */
export type PeerRole = 'writer' | 'snapshotter' | 'projector'

/** The path at which an instance identifies itself. */
export const peerPath = (role: PeerRole): string => `/peers/${role}`

const schemaOf = (role: PeerRole) => ({
  tags: ['operations'],
  summary: `Which member of the group of ${role}s answers here`,
  description:
    'Other instances request this before they send anything to a URL that a member of the group advertises. They do not use the URL if the answer differs from the group metadata, or if it has no valid proof although they share a secret.',
  querystring: Type.Object({
    challenge: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{43}$',
        description: '32 random bytes in base64url, to be answered with a proof',
      }),
    ),
  }),
  response: {
    200: Type.Object(
      {
        clusterId: Type.String({ description: 'Of the Kafka cluster' }),
        groupId: Type.String({ description: 'Consumer group' }),
        instance: Type.String({ description: 'Id of this process, chosen at random at start' }),
        proof: Type.Optional(
          Type.String({
            description:
              'Signature of the challenge, this identity and the advertised URL with ANNALS_PEER_SECRET; absent without a secret or a challenge',
          }),
        ),
      },
      { description: 'The member' },
    ),
  },
})

/**
 * Proves to other instances that this one is at the URL it advertises, and with a secret, that it is one of them.
 * @param tokens absent: the services share no secret
 */
export const peerRoute = (
  role: PeerRole,
  identity: ProvenPeer,
  tokens: Pick<PeerTokens, 'prove'> | undefined,
): HttpRoutes =>
  function routes(app) {
    const { clusterId, groupId, instance } = identity
    app.get(
      peerPath(role),
      { schema: schemaOf(role), config: { access: 'public' } },
      async ({ query: { challenge } }) => {
        const answer = { clusterId, groupId, instance }
        if (tokens === undefined || challenge === undefined) return answer
        return { ...answer, proof: await tokens.prove(challenge, provenText(identity)) }
      },
    )
    return Promise.resolve()
  }

/** Merges several routes into one. */
export const allRoutes = (...all: readonly HttpRoutes[]): HttpRoutes =>
  async function routes(app) {
    for (const each of all) await app.register(each)
  }
