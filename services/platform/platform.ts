import { type RunningService, serve, type ServiceParts } from '#service'

import { openProjector } from '../projector/index.ts'
import { openSnapshotter } from '../snapshotter/index.ts'
import { openWriter } from '../writer/index.ts'

/**
 * Starts writer, snapshotter and projector in one process with one port, for a laptop, a test, or a small installation.
 * Each uses the settings that it has as a separate service. The snapshotter loads aggregates from this writer.
 */
export function startPlatform(parts: ServiceParts): Promise<RunningService> {
  const writer = openWriter(parts)
  const snapshotter = openSnapshotter(parts, writer.writer.api)
  const projector = openProjector(parts, { isPart: true })
  return serve(parts, 'Annals', [writer, snapshotter, projector])
}
