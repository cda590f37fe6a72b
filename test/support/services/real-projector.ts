import { type ProjectorService, startProjectorService } from '../../../services/projector/index.ts'
import { type RealParts, startReal } from './real-service.ts'
import type { Installation } from './real-writer.ts'

export type RealProjector = ProjectorService & RealParts

/** A projector in this process. */
export const startRealProjector = (
  { env }: Installation,
  more: Readonly<Record<string, string>> = {},
): Promise<RealProjector> => startReal({ ...env, ...more }, startProjectorService)
