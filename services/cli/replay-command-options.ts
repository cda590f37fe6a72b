import type { Position, StreamId, Version } from '#domain'
import type { LineFormat } from '#operations'

import type { WriterOption } from './writer-option.ts'

/** The parsed options of `replay`, not yet checked against each other. */
export interface ReplayCommandOptions extends WriterOption {
  readonly stream?: StreamId
  readonly partition?: readonly number[]
  readonly fromOffset?: ReadonlyMap<number, number>
  readonly untilOffset?: ReadonlyMap<number, number>
  readonly fromTime?: string
  readonly untilTime?: string
  readonly fromVersion?: Version
  readonly untilVersion?: Version
  readonly untilPosition?: Position
  readonly type?: readonly string[]
  readonly streamPattern?: string
  readonly correlationId?: string
  readonly format: LineFormat
  readonly toFile?: string
  readonly toTopic?: string
  readonly toProjection?: string
  readonly create?: boolean
  readonly overwrite?: boolean
  readonly dryRun?: boolean
  readonly skipUnreadable?: boolean
  readonly rate?: number
  readonly parallel: number
  readonly timeout: number
  readonly checkpoint?: string
  readonly resume?: boolean
}
