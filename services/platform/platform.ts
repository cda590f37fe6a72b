import { type RunningService, serve, type ServiceParts } from '#service'

import { openProjector } from '../projector/index.ts'
import { openSnapshotter } from '../snapshotter/index.ts'
import { openWriter } from '../writer/index.ts'

/**
 * Writer, snapshotter and projector in one process, behind one port: for a laptop, a test, or a small installation. Each
 * goes by the settings it has on its own. The snapshotter loads aggregates from the writer beside it.
 */
export function startPlatform(parts: ServiceParts): Promise<RunningService> {
  const writer = openWriter(parts)
  const snapshotter = openSnapshotter(parts, writer.writer.api)
  const projector = openProjector(parts, { isPart: true })
  return serve(parts, 'Annals', [writer, snapshotter, projector])
}
