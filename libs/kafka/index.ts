export { appendUnfenced } from './append-unfenced.ts'
export { kafkaAsksForLogin } from './asks-for-login.ts'
export { KafkaCluster } from './cluster.ts'
export { servingEpochMax } from './fence.ts'
export { type Appended, FencedLog } from './fenced-log.ts'
export { groupMembers } from './group-members.ts'
export { GroupMembership, type GroupMembershipOptions, type NotedOffset } from './group-membership.ts'
export {
  type ForeignMember,
  type GroupTable,
  type Owner,
  type OwnersTable,
  readGroup,
  readOwners,
} from './group-protocol.ts'
export { LogError, type LogOutcome } from './kafka-errors.ts'
export { type Followed, LogReader } from './log-reader.ts'
export { peerUrlCheck, type PeerUrlCheck } from './peer-url.ts'
export { type GroupView, type Peer, type Route, type RoutingTable, type VerifyPeer } from './peers.ts'
export { type FenceProof, proveFence } from './prove-fence.ts'
export { batchOverheadBytes, type LogRecord, recordBytesBound, type StoredRecord } from './record-batch.ts'
export { type KafkaSettings } from './settings.ts'
export { successorsOf } from './sticky-assignor.ts'
export { type SettingFinding, topicConfigs, type TopicDescription, type TopicKind } from './topic-settings.ts'
export { isSameTerm, type Stray } from './terms.ts'
export { Topics, type TopicSpec } from './topics.ts'
