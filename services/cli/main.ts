import { endQuietlyOnBrokenPipe } from './print.ts'
import { runCli } from './run-cli.ts'

endQuietlyOnBrokenPipe()
process.exitCode = await runCli(process.argv.slice(2), process.env)
