import type { Command } from 'commander'

import { again, checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { table } from '../table.ts'
import { accessHelp, withAccess } from '../with-access.ts'

interface PutOptions {
  readonly name: string
  readonly role: readonly string[]
}

const putHelp = `
A client whose certificate has this common name, and was signed by ANNALS_TLS_CLIENT_CA_FILE, is this principal.
${accessHelp}

Examples:
  annals access certificate put shop.example.com --name shop --role service`

const listHelp = `
Examples:
  annals access certificate list
  annals access certificate list --json`

const removeHelp = `
Services reject certificates of this common name within 5 seconds.

Examples:
  annals access certificate remove shop.example.com --yes`

export function addAccessCertificate(access: Command, cli: Cli): void {
  const certificate = access
    .command('certificate')
    .description('Put, list and remove the names of client certificates.')
  certificate
    .command('put')
    .description('Let client certificates of a common name in, or change what they may do.')
    .argument('<commonName>', 'common name of the subject, exactly')
    .requiredOption('--name <name>', 'name of the principal')
    .requiredOption('--role <role>', 'role of the principal; repeat for more', again)
    .addHelpText('after', putHelp)
    .action(async (commonName: string, options: PutOptions) =>
      cli.report(await put(cli, commonName, options)),
    )
  certificate
    .command('list')
    .description('List all common names with their principals.')
    .addHelpText('after', listHelp)
    .action(async () => cli.report(await list(cli)))
  certificate
    .command('remove')
    .description('Let client certificates of a common name in no longer.')
    .argument('<commonName>', 'common name of the subject')
    .option('--yes', 'confirm')
    .addHelpText('after', removeHelp)
    .action(async (commonName: string, options: { readonly yes?: boolean }) =>
      cli.report(await remove(cli, commonName, options)),
    )
}

const put = (cli: Cli, commonName: string, { name, role: roles }: PutOptions): Promise<CommandReport> =>
  withAccess(cli, async (editor, { putCertificate }) => {
    const { isNew } = await putCertificate(editor, { commonName, name, roles })
    const who = `certificate ${commonName}: it is ${name} with ${roles.join(', ')}`
    return {
      document: { commonName, name, roles, created: isNew },
      text: `${isNew ? 'Added' : 'Replaced'} ${who}, within 5 seconds`,
    }
  })

const list = (cli: Cli): Promise<CommandReport> =>
  withAccess(cli, async (editor, { listCertificates }) => {
    const certificates = await listCertificates(editor)
    const rows = certificates.map(({ commonName, name, roles }) => [commonName, name, roles.join(', ')])
    return {
      document: { certificates },
      text: rows.length === 0 ? 'There are no certificates' : table(['common name', 'name', 'roles'], rows),
    }
  })

function remove(cli: Cli, commonName: string, options: { readonly yes?: boolean }): Promise<CommandReport> {
  checkYes(options, `reject certificates of ${commonName} from now on`)
  return withAccess(cli, async (editor, { removeCertificate }) => {
    await removeCertificate(editor, commonName)
    return { document: { commonName, removed: true }, text: `Removed certificate ${commonName}` }
  })
}
