import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { givenUp } from './give-up.ts'
import { writePrivateFile } from './private-files.ts'
import { runCommand } from './run-command.ts'
import { scramVerifier } from './scram.ts'
import { StackError } from './stack-error.ts'

const setMsMax = 60_000

interface PasswordOptions {
  /** The program `postgres`. */
  readonly program: string
  readonly folder: string
  readonly data: string
  readonly role: string
  readonly password: string
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
}

/**
 * Sets the password of the role while the server is down, unless it was set already. PostgreSQL's single-user mode asks
 * for no login and opens no port, so that data of a version without passwords need no moment in which others get in.
 */
export async function setPassword(options: PasswordOptions): Promise<void> {
  const { program, folder, data, role, password, user } = options
  const note = join(folder, 'password-is-set')
  const digest = createHash('sha256').update(password).digest('hex')
  if (existsSync(note) && readFileSync(note, 'utf8') === digest) return
  const said = await runCommand(program, ['--single', '-D', data, 'postgres'], {
    cwd: folder,
    isPrivate: true,
    timeoutMs: setMsMax,
    signal: givenUp,
    input: `ALTER ROLE ${role} PASSWORD '${scramVerifier(password)}'\n`,
    ...(user && { user }),
  })
  // A failed statement does not fail the program.
  if (/^.*(ERROR|FATAL): /m.test(said))
    throw new StackError(`PostgreSQL in ${data} does not accept its new password:\n${said.trim()}`)
  writePrivateFile(note, digest)
}
