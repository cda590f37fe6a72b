import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files of half a minute and more. One that starts last keeps the other workers waiting for it. */
const longFiles = [
  'test/integration/model/model.test.ts',
  'test/integration/operations/cli-backup-restore.test.ts',
  'test/integration/log/kafka-fenced-log.test.ts',
  'test/integration/ownership/writer-foreign-members.test.ts',
  'test/integration/operations/topics-repartition.test.ts',
  'test/integration/operations/cli-verify.test.ts',
  'test/integration/consumer/event-decoder.test.ts',
  'test/e2e/start-stop.test.ts',
  'test/faults/short-set.test.ts',
  'test/e2e/docs-code.test.ts',
  'test/faults/epochs.test.ts',
  'test/faults/projections-import.test.ts',
  'test/faults/projector-rebuild.test.ts',
  'test/faults/local-clusters.test.ts',
  'test/faults/replay.test.ts',
  'test/faults/snapshotter.test.ts',
  'test/faults/kafka-failover.test.ts',
  'test/faults/paused-owner.test.ts',
  'test/e2e/degraded-start.test.ts',
  'test/e2e/demo.test.ts',
]

/** Starts the longest files of each group first; Vitest knows them only from an earlier run on the same machine. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b))
  }
}

const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder

function rankOf({ moduleId }: TestSpecification): number {
  const rank = longFiles.findIndex((file) => moduleId.endsWith(`/${file}`))
  return rank < 0 ? longFiles.length : rank
}
