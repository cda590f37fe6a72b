import type { Server } from '../../../../scripts/stack/index.ts'

/** Ends a running server by SIGKILL, and returns when its process has ended. */
export async function killNow(server: Server | undefined): Promise<void> {
  server?.kill('SIGKILL')
  await server?.exited
}
