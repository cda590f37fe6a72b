import { withInstallation } from './installation.ts'
import { endOnBrokenOutput } from './print.ts'
import { runCli } from './run-cli.ts'

endOnBrokenOutput()
process.exitCode = await runCli(process.argv.slice(2), withInstallation(process.env), process.env)
