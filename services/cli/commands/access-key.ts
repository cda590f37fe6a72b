import { type Command, Option } from 'commander'

import type { ListedKey, NewKey } from '#operations'

import { again, checkYes, durationMs } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { table } from '../table.ts'
import { accessHelp, withAccess } from '../with-access.ts'

interface CreateOptions {
  readonly role: readonly string[]
  readonly expires?: number
}

interface RotateOptions {
  readonly overlap: number
  readonly expires?: number
}

interface Confirmed {
  readonly yes?: boolean
}

const createHelp = `
The key is printed on standard output, once: only its hash is stored. Everything else goes to standard error.
${accessHelp}

Examples:
  annals access key create shop --role service
  annals access key create report --role reader --role clerk --expires 90d
  annals access key create shop --role service > shop.key`

const listHelp = `
Prints ids, never secrets. A key is valid, expired or revoked.

Examples:
  annals access key list
  annals access key list --json`

const rotateHelp = `
Creates another key of the same name and roles and prints it, as \`access key create\` does. Give it to the program that used the first one,
which expires after the overlap. The new key is valid for as long as the first one was, unless --expires says otherwise.

Examples:
  annals access key rotate mfrggzdfmztwq2lk
  annals access key rotate mfrggzdfmztwq2lk --overlap 7d --expires 90d`

const revokeHelp = `
Services reject the key within 5 seconds, and end its live streams. It stays in the list until it is removed.

Examples:
  annals access key revoke mfrggzdfmztwq2lk --yes`

const removeHelp = `
Removes a key from the list that is expired or revoked. A role can be removed once no key has it.

Examples:
  annals access key remove mfrggzdfmztwq2lk --yes`

export function addAccessKey(access: Command, cli: Cli): void {
  const key = access.command('key').description('Create, list, rotate, revoke and remove API keys.')
  addCreate(key, cli)
  addRotate(key, cli)
  key
    .command('list')
    .description('List all API keys, oldest first.')
    .addHelpText('after', listHelp)
    .action(async () => cli.report(await list(cli)))
  addEndings(key, cli)
}

function addCreate(key: Command, cli: Cli): void {
  key
    .command('create')
    .description('Create an API key and print it once.')
    .argument('<name>', 'name of the principal that the key is for')
    .requiredOption('--role <role>', 'role of the principal; repeat for more', again)
    .addOption(expires('the key expires after this time, e.g. 90d; default: never'))
    .addHelpText('after', createHelp)
    .action(async (name: string, options: CreateOptions) => cli.report(await create(cli, name, options)))
}

function addRotate(key: Command, cli: Cli): void {
  key
    .command('rotate')
    .description('Replace an API key: create another one, and let it expire.')
    .argument('<id>', 'id of the key')
    .addOption(
      new Option('--overlap <duration>', 'how long both keys are valid; default: 1d')
        .argParser(durationMs('--overlap'))
        .default(86_400_000, '1d'),
    )
    .addOption(expires('the new key expires after this time, e.g. 90d'))
    .addHelpText('after', rotateHelp)
    .action(async (id: string, options: RotateOptions) => cli.report(await rotate(cli, id, options)))
}

function addEndings(key: Command, cli: Cli): void {
  key
    .command('revoke')
    .description('Revoke an API key, for good.')
    .argument('<id>', 'id of the key')
    .option('--yes', 'confirm')
    .addHelpText('after', revokeHelp)
    .action(async (id: string, options: Confirmed) => cli.report(await revoke(cli, id, options)))
  key
    .command('remove')
    .description('Remove an expired or revoked API key from the list.')
    .argument('<id>', 'id of the key')
    .option('--yes', 'confirm')
    .addHelpText('after', removeHelp)
    .action(async (id: string, options: Confirmed) => cli.report(await remove(cli, id, options)))
}

const expires = (description: string): Option =>
  new Option('--expires <duration>', description).argParser(durationMs('--expires'))

const create = (
  cli: Cli,
  name: string,
  { role, expires: expiresInMs }: CreateOptions,
): Promise<CommandReport> =>
  withAccess(cli, async (editor, { createKey }) => {
    const request = { name, roles: role, ...(expiresInMs !== undefined && { expiresInMs }) }
    return shownOnce(cli, 'Created', await createKey(editor, request))
  })

const rotate = (
  cli: Cli,
  id: string,
  { overlap, expires: lifetimeMs }: RotateOptions,
): Promise<CommandReport> =>
  withAccess(cli, async (editor, { rotateKey }) => {
    const lifetime = lifetimeMs === undefined ? {} : { lifetimeMs }
    const { replaced, ...made } = await rotateKey(editor, id, { overlapMs: overlap, ...lifetime })
    const report = shownOnce(cli, 'Created', made)
    if (!cli.isJson) console.error(`Key ${replaced.id} expires at ${replaced.expiresAt ?? ''}`)
    return { ...report, document: { ...report.document, replaced } }
  })

/** Prints nothing but the key on standard output, so that it can go into a file or variable. */
function shownOnce({ isJson }: Cli, what: string, { key, listed }: NewKey): CommandReport {
  const { id, name, roles, expiresAt } = listed
  if (!isJson) {
    const until = expiresAt === undefined ? 'does not expire' : `expires at ${expiresAt}`
    console.error(`${what} key ${id} of ${name} with ${roles.join(', ')}; it ${until}`)
    console.error('Store the key now: it is not shown again')
  }
  return { document: { ...listed, key }, text: key }
}

const list = (cli: Cli): Promise<CommandReport> =>
  withAccess(cli, async (editor, { listKeys }) => {
    const keys = await listKeys(editor)
    return {
      document: { keys },
      text: keys.length === 0 ? 'There are no keys: annals access key create makes one' : keyTable(keys),
    }
  })

const keyTable = (keys: readonly ListedKey[]): string =>
  table(
    ['id', 'name', 'roles', 'created', 'expires', 'status'],
    keys.map(({ id, name, roles, createdAt, expiresAt, revokedAt, status }) => [
      ...[id, name, roles.join(', '), createdAt, expiresAt ?? 'never'],
      revokedAt === undefined ? status : `${status} at ${revokedAt}`,
    ]),
  )

function revoke(cli: Cli, id: string, options: Confirmed): Promise<CommandReport> {
  checkYes(options, `revoke key ${id} for good`)
  return withAccess(cli, async (editor, { revokeKey }) => {
    const revoked = await revokeKey(editor, id)
    return {
      document: revoked,
      text: `Revoked key ${id} of ${revoked.name}: services reject it within 5 seconds`,
    }
  })
}

function remove(cli: Cli, id: string, options: Confirmed): Promise<CommandReport> {
  checkYes(options, `remove key ${id} from the list`)
  return withAccess(cli, async (editor, { removeKey }) => {
    await removeKey(editor, id)
    return { document: { id, removed: true }, text: `Removed key ${id}` }
  })
}
