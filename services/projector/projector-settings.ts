import type { Config } from '#config'
import { defaultEngineSettings, type EngineSettings } from '#projections'

/** Times in milliseconds, sizes in bytes. docs/configuration.md explains each. */
export interface ProjectorSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly afterTimeoutMs: number
  /** Reads that may wait for their event to be applied; more are refused. */
  readonly waitersMax: number
  /** Memory for changes that subscribers share. */
  readonly subscribersBytesMax: number
  readonly engine: EngineSettings
  /** Whether changes of views go to Kafka. */
  readonly changelog: boolean
  /** How topics are made. */
  readonly kafka: Config['kafka']
}

export const projectorSettings = ({
  http,
  projector,
  kafka,
}: Pick<Config, 'http' | 'projector' | 'kafka'>): ProjectorSettings => ({
  groupId: projector.groupId,
  sessionTimeoutMs: projector.sessionTimeoutMs,
  afterTimeoutMs: projector.afterTimeoutMs,
  waitersMax: projector.waitersMax,
  subscribersBytesMax: http.subscribersBytesMax,
  engine: {
    ...defaultEngineSettings,
    batchEventsMax: projector.batchEventsMax,
    triesMax: projector.triesMax,
  },
  changelog: projector.changelog,
  kafka,
})
