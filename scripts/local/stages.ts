import { docker } from './docker.ts'
import { nativeParts } from './native.ts'
import type { Part } from './part.ts'
import { platform } from './platform.ts'
import type { StackSettings } from './settings.ts'

/**
 * What the settings ask for, in stages: the parts of a stage start together, a stage after the one before it, and
 * all stop in the opposite order. Services get a stage of their own, after the servers they need.
 */
export function stagesFor(settings: StackSettings): readonly (readonly Part[])[] {
  const servers = settings.kind === 'docker' ? [docker(settings)] : nativeParts(settings)
  return [servers, [platform(settings)]]
}
