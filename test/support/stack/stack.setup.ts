import type { TestProject } from 'vitest/node'
import { openTestStack, type OpenStack } from './stack-variants.ts'
import './stack.ts'

// Vitest projects have separate modules but share the process. One stack serves them all and is closed after the last.
interface Shared {
  users: number
  readonly open: Promise<OpenStack>
}
const holder = globalThis as { annalsTestStack?: Shared | undefined }

/** Vitest's global set-up. Provides `stack` to the tests of a project, and starts it for the first project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (holder.annalsTestStack ??= { users: 0, open: openTestStack(process.env) })
  shared.users++
  const { stack, close } = await shared.open
  project.provide('stack', stack)
  return async () => {
    shared.users--
    if (shared.users > 0) return
    holder.annalsTestStack = undefined
    await close()
  }
}
