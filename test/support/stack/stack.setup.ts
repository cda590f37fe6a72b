import type { TestProject } from 'vitest/node'
import { openTestStack, type OpenStack } from './stack-variants.ts'
import './stack.ts'

// Each project has modules of its own but all share the process: one stack serves them all and ends with the last.
interface Shared {
  users: number
  readonly open: Promise<OpenStack>
}
const holder = globalThis as { annalsTestStack?: Shared | undefined }

/** Vitest's global set-up: provides `stack` to the tests of a project, starting it for the first one. */
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
