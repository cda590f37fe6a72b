import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { AssignerProtocol } from 'kafkajs'

import { anyPeerUrl, type PeerUrlCheck, peerUrlLengthMax } from './peer-url.ts'

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

const partitionsByTopic = Type.Record(
  Type.String({ maxLength: 249 }),
  Type.Array(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
)

/** What a member states about itself when it joins. It travels in Kafka's member metadata, as JSON. */
const memberDataSchema = Type.Object({
  /** Where it takes requests. */
  url: Type.String({ minLength: 1, maxLength: peerUrlLengthMax }),
  /** A random id of its process. The process that answers at the URL must know it. */
  instance: Type.String({ minLength: 1, maxLength: 100 }),
  /** The member id under which it owned `owned`. A member that was removed and rejoins with another id has lost its claims. */
  memberId: Type.String({ maxLength: 1_000 }),
  owned: partitionsByTopic,
  /** What it has taken over ahead of the group. Absent: it takes nothing over early, or is of an older version. */
  early: Type.Optional(partitionsByTopic),
})

export type MemberData = Readonly<Omit<Static<typeof memberDataSchema>, 'owned' | 'early'>> & {
  readonly owned: Assignment
  readonly early?: Assignment
}

const memberData = TypeCompiler.Compile(memberDataSchema)

/** Far more than any member needs. Larger data is not parsed. */
const dataBytesMax = 1_048_576

/** A member as its metadata describes it. */
interface KnownMember {
  readonly topics: readonly string[]
  readonly data: MemberData
}

/** A client with the right to join the group can send any metadata. `problem` says why it is not that of an Annals member. */
type ReadMember = KnownMember | { readonly problem: string }

/**
 * Reads a member's metadata. Never throws.
 * @param checkUrl says why its URL is not allowed
 */
export function readMember(metadata: Buffer, checkUrl: PeerUrlCheck = anyPeerUrl): ReadMember {
  try {
    const decoded = AssignerProtocol.MemberMetadata.decode(metadata)
    return readData(decoded?.topics ?? [], decoded?.userData ?? Buffer.alloc(0), checkUrl)
  } catch {
    return { problem: 'its metadata is not that of a consumer' }
  }
}

function readData(topics: readonly string[], bytes: Buffer, checkUrl: PeerUrlCheck): ReadMember {
  if (bytes.length > dataBytesMax) return { problem: `its metadata has ${bytes.length} bytes` }
  const data = parseJson(bytes.toString())
  if (data === undefined) return { problem: 'its metadata is not JSON' }
  if (!memberData.Check(data)) {
    const { path = '', message = '' } = memberData.Errors(data).First() ?? {}
    return { problem: `its metadata has the wrong shape: ${message.toLowerCase()} at ${path || 'its root'}` }
  }
  const problem = checkUrl(data.url)
  return problem === undefined ? { topics, data } : { problem }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const encodeMember = (version: number, { topics, data }: KnownMember): Buffer =>
  AssignerProtocol.MemberMetadata.encode({
    version,
    topics: [...topics],
    userData: Buffer.from(JSON.stringify(data)),
  })

/** The partitions that the leader assigned to a member; none if the bytes cannot be read. */
export function readAssignment(bytes: Buffer): Assignment {
  try {
    return AssignerProtocol.MemberAssignment.decode(bytes)?.assignment ?? {}
  } catch {
    return {}
  }
}
