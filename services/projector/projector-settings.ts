import type { Config } from '#config'
import { defaultEngineSettings, type EngineSettings } from '#projections'

/** Times in milliseconds, sizes in bytes. docs/configuration.md explains each. */
export interface ProjectorSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly afterTimeoutMs: number
  /** Reads that may wait for their event to be applied; further ones are rejected. */
  readonly waitersMax: number
  /** Memory for changes that subscribers share. */
  readonly subscribersBytesMax: number
  readonly engine: EngineSettings
  /** Whether changes of views are published to Kafka. */
  readonly changelog: boolean
  /** Settings of new topics. */
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
