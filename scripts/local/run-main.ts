import { StackError } from '../stack/index.ts'

/** Runs a command to its end. A user's mistake is printed without a stack trace, a bug with one. */
export async function runMain(main: () => Promise<void>): Promise<never> {
  try {
    await main()
    process.exit()
  } catch (error) {
    console.error(error instanceof StackError ? error.message : error)
    process.exit(error instanceof StackError ? error.exitCode : 1)
  }
}
