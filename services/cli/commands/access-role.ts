import type { Command } from 'commander'

import type { ListedRole } from '#operations'

import { checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { readJsonFile } from '../read-json-file.ts'
import { shortened, table } from '../table.ts'
import { accessHelp, withAccess } from '../with-access.ts'

const putHelp = `
The file is JSON: {"description", "includes", "rules": [{"actions": ["append", "read"], "on": ["order.*"]}], "limits"}. A role of this name is
replaced, for all who have it, within 5 seconds.
${accessHelp}

Examples:
  annals access role put clerk clerk.json
  echo '{"rules":[{"actions":["read"],"on":["order.*"]}]}' | annals access role put order-reader -`

const listHelp = `
Examples:
  annals access role list
  annals access role list --json`

const removeHelp = `
A role that belongs to a key, a certificate or another role is not removed.

Examples:
  annals access role remove clerk --yes`

export function addAccessRole(access: Command, cli: Cli): void {
  const role = access.command('role').description('Put, list and remove roles.')
  role
    .command('put')
    .description('Create a role, or replace it.')
    .argument('<name>', 'name of the role')
    .argument('<file>', 'its rules as JSON; - for standard input')
    .addHelpText('after', putHelp)
    .action(async (name: string, file: string) => cli.report(await put(cli, name, file)))
  role
    .command('list')
    .description('List all roles with their rules; the built-in ones first.')
    .addHelpText('after', listHelp)
    .action(async () => cli.report(await list(cli)))
  role
    .command('remove')
    .description('Remove a role that nobody has.')
    .argument('<name>', 'name of the role')
    .option('--yes', 'confirm')
    .addHelpText('after', removeHelp)
    .action(async (name: string, options: { readonly yes?: boolean }) =>
      cli.report(await remove(cli, name, options)),
    )
}

async function put(cli: Cli, name: string, file: string): Promise<CommandReport> {
  const json = await readJsonFile(file)
  return withAccess(cli, async (editor, { putRole }) => {
    const { isNew } = await putRole(editor, name, json)
    return {
      document: { name, created: isNew },
      text: isNew ? `Created role ${name}` : `Replaced role ${name}: it is in force within 5 seconds`,
    }
  })
}

const list = (cli: Cli): Promise<CommandReport> =>
  withAccess(cli, async (editor, { listRoles }) => {
    const roles = await listRoles(editor)
    return {
      document: { roles: roles.map(({ isBuiltIn, ...role }) => ({ ...role, builtIn: isBuiltIn })) },
      text: table(['role', 'includes', 'rules', 'description'], roles.map(row)),
    }
  })

const rulesWidth = 100

const row = ({ name, isBuiltIn, includes = [], rules, description = '' }: ListedRole): string[] => {
  const granted = rules.map(({ actions, on }) => `${actions.join(', ')} on ${on.join(', ')}`).join('; ')
  return [
    isBuiltIn ? `${name} (built in)` : name,
    includes.join(', '),
    shortened(granted, rulesWidth),
    description,
  ]
}

function remove(cli: Cli, name: string, options: { readonly yes?: boolean }): Promise<CommandReport> {
  checkYes(options, `remove role ${name}`)
  return withAccess(cli, async (editor, { removeRole }) => {
    await removeRole(editor, name)
    return { document: { name, removed: true }, text: `Removed role ${name}` }
  })
}
