import { docker } from './docker.ts'
import { nativeParts } from './native.ts'
import type { Part } from './part.ts'
import { platform } from './platform.ts'
import type { StackSettings } from './settings.ts'

/**
 * The requested parts in stages. The parts of one stage start together, each stage starts after the previous one, and
 * all stop in reverse order. Services have a stage of their own, after the servers that they need.
 */
export function stagesFor(settings: StackSettings): readonly (readonly Part[])[] {
  const servers = settings.kind === 'docker' ? [docker(settings)] : nativeParts(settings)
  return [servers, [platform(settings)]]
}
