export { audited, type DirectAct } from './audit/audited.ts'
export type { AuditControl, AuditRequest } from './audit/read-audit.ts'
export { type AuditSearch, runAudit } from './audit/run-audit.ts'
export { listCertificates, putCertificate, removeCertificate } from './access/certificates.ts'
export { type CheckedAccess, checkAccess } from './access/check-access.ts'
export { explainAccess, type Explanation } from './access/explain-access.ts'
export {
  createKey,
  type ListedKey,
  listKeys,
  type NewKey,
  removeKey,
  revokeKey,
  rotateKey,
  type Rotation,
} from './access/keys.ts'
export { type ListedRole, listRoles, putRole, removeRole } from './access/roles.ts'
export { withAccessEditor } from './access/with-access-editor.ts'
export {
  type BackupControl,
  type BackupMade,
  type BackupReport,
  type BackupRequest,
  runBackup,
  runBackups,
} from './backup/run-backup.ts'
export type { BackupFinding } from './backup/check-backup.ts'
export { type BackupsCheck, checkBackups, type ListedBackup, listBackups } from './backup/check-backups.ts'
export { domainOf, logOpener } from './backup/open-log.ts'
export {
  type RestoreControl,
  type RestoreEnd,
  type RestoreRequest,
  runRestore,
  type SettingDifference,
} from './backup/restore/run-restore.ts'
export type { Due } from './backup/watch-backup.ts'
export { type Examination, examine } from './doctor/examine.ts'
export type { DoctorFinding } from './doctor/finding.ts'
export type { Exported, ExportScope } from './export/export-events.ts'
export { runExport } from './export/run-export.ts'
export type { LineProblem } from './import/imported-line.ts'
export { readMapping } from './import/mapping.ts'
export { problemsKeptMax } from './import/problem-log.ts'
export { rollback, type RolledBack } from './import/rollback.ts'
export {
  type ImportControl,
  type ImportEnd,
  type ImportOutcome,
  type ImportRequest,
  type ImportStore,
  runImport,
} from './import/run-import.ts'
export { schemaCheckOf } from './import/schema-check.ts'
export type { SchemaVersions } from './import/schema-versions.ts'
export {
  type IndexRebuild,
  rebuildIndex,
  type RebuildStatus,
  type RebuiltPartition,
} from './index-rebuild/rebuild-index.ts'
export {
  formatSchema,
  type Inference,
  type InferredSchema,
  type InferRequest,
  inferSchemas,
} from './infer/infer-schemas.ts'
export type { JobControl, OperationNotice, OperationProgress } from './job-control.ts'
export { clusterText, type NamedCluster } from './named-cluster.ts'
export {
  OperationError,
  type OperationErrorCode,
  operationErrors,
  type OperationRemedy,
} from './operation-error.ts'
export type { LineFormat } from './replay/event-lines.ts'
export type { Bounds } from './replay/ranges.ts'
export type { ReplayFilter } from './replay/record-filter.ts'
export type { Destination, ReplayRequest } from './replay/replay-request.ts'
export type { PartitionProgress } from './replay/replay-progress.ts'
export { type ReplayControl, type ReplayOutcome, runReplay } from './replay/run-replay.ts'
export { canBeginWith } from './replay/stream-pattern.ts'
export { type CreatedTopic, createTopics } from './topics/create-topics.ts'
export { type InspectedTopic, inspectTopics, type TopicsInspection } from './topics/inspect-topics.ts'
export {
  abortRepartition,
  planRepartition,
  type RepartitionEnd,
  type RepartitionPlan,
  runRepartition,
} from './topics/repartition/run-repartition.ts'
export type { VerifyFinding, VerifyPart, Where } from './verify/finding.ts'
export { type Verification, verify, type VerifyControl } from './verify/verify.ts'
