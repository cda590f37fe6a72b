// Checks the signatures of all installed packages: npm run signatures
import { repository } from '../stack/index.ts'
import { runProgram } from '../test/run-program.ts'
import { judgeSignatures } from './judge-signatures.ts'

const timeoutMs = 600_000
const bounds = ['--fetch-retries=1', '--fetch-timeout=20000']

const { output } = await runProgram(
  'npm',
  ['audit', 'signatures', '--json', '--loglevel=silent', ...bounds],
  { cwd: repository, timeoutMs, output: 'keep' },
)
const { exitCode, lines } = judgeSignatures(output)
for (const line of lines) {
  if (exitCode === 0) console.log(line)
  else console.error(line)
}
process.exitCode = exitCode
