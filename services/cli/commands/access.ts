import type { Command } from 'commander'

import type { Explanation } from '#operations'

import { again } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { accessHelp, withAccess } from '../with-access.ts'
import { addAccessCertificate } from './access-certificate.ts'
import { addAccessKey } from './access-key.ts'
import { addAccessRole } from './access-role.ts'

const help = `
${accessHelp}
docs/guide/access.md explains roles and rules.

Examples:
  annals access key create shop --role service
  annals access role put clerk clerk.json
  annals access explain --role clerk append order.42`

const checkHelp = `
Checks what a service checks when it reads the file: its mode, its form, unknown roles and cycles.

Examples:
  annals access check /etc/annals/access.json`

const explainHelp = `
Prints whether a principal with these roles may do it, and which role grants it. Ends with 1 if it may not.
${accessHelp}

Examples:
  annals access explain --role clerk append order.42
  annals access explain --role reader --role clerk read 'order.*'
  annals access explain --role operator operate projection:loans --json`

export function addAccess(program: Command, cli: Cli): void {
  const access = program
    .command('access')
    .description('Manage who may do what: API keys, roles and certificates.')
    .addHelpText('after', help)
  addAccessKey(access, cli)
  addAccessRole(access, cli)
  addAccessCertificate(access, cli)
  access
    .command('check')
    .description('Check an access file.')
    .argument('<file>', 'access file')
    .addHelpText('after', checkHelp)
    .action(async (file: string) => cli.report(await check(file)))
  access
    .command('explain')
    .description('Print whether roles allow an action on a resource, and why.')
    .requiredOption('--role <role>', 'role of the principal; repeat for more', again)
    .argument('<action>', 'append, read, subscribe, state, view, operate, administer or annals:act-as')
    .argument('<resource>', 'order.42, order.*, projection:loans, user:ada or installation')
    .addHelpText('after', explainHelp)
    .action(async (action: string, resource: string, { role }: { readonly role: readonly string[] }) =>
      cli.report(await explain(cli, { roles: role, action, resource })),
    )
}

async function check(file: string): Promise<CommandReport> {
  const { checkAccess } = await import('#operations')
  const counts = await checkAccess(file)
  const { roles, keys, certificates } = counts
  return {
    document: { file, valid: true, ...counts },
    text: `${file} is valid: ${roles} roles, ${keys} keys, ${certificates} certificates`,
  }
}

interface Question {
  readonly roles: readonly string[]
  readonly action: string
  readonly resource: string
}

const explain = (cli: Cli, question: Question): Promise<CommandReport> =>
  withAccess(cli, async (editor, { explainAccess }) =>
    explained(question.roles, await explainAccess(editor, question)),
  )

function explained(roles: readonly string[], explanation: Explanation): CommandReport {
  const { isAllowed, reason, action, resource, some } = explanation
  const others = some === undefined ? '' : `\nfor some of them: ${some}`
  return {
    document: { roles, action, resource, allowed: isAllowed, reason, ...(some !== undefined && { some }) },
    text: `${isAllowed ? 'allowed' : 'denied'}: ${reason}${others}`,
    exitCode: isAllowed ? 0 : 1,
  }
}
