import type { Config } from '#config'
import { defaultEngineSettings, type EngineSettings } from '#projections'

/** Times in milliseconds, sizes in bytes. docs/configuration.md explains each. */
export interface ProjectorSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly afterTimeoutMs: number
  readonly engine: EngineSettings
  /** Whether changes of views go to Kafka. */
  readonly changelog: boolean
  /** How topics are made. */
  readonly kafka: Config['kafka']
}

export const projectorSettings = ({
  projector,
  kafka,
}: Pick<Config, 'projector' | 'kafka'>): ProjectorSettings => ({
  groupId: projector.groupId,
  sessionTimeoutMs: projector.sessionTimeoutMs,
  afterTimeoutMs: projector.afterTimeoutMs,
  engine: {
    ...defaultEngineSettings,
    batchEventsMax: projector.batchEventsMax,
    triesMax: projector.triesMax,
  },
  changelog: projector.changelog,
  kafka,
})
