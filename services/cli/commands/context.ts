import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

import type { Command } from 'commander'

import { AnnalsClient } from '#client'
import { quote } from '#domain'

import type { Cli, CommandReport } from '../cli.ts'
import { connectionWith, selectedContext } from '../connection/connection.ts'
import {
  type Context,
  contextNamed,
  type Contexts,
  readContexts,
  writeContexts,
} from '../connection/context-file.ts'
import { UsageError } from '../failure.ts'
import { listOfPairs, table } from '../table.ts'

const help = `
A context is the address of an installation with the credentials for it. Contexts are in the file ANNALS_CONTEXTS_FILE, by default
$XDG_CONFIG_HOME/annals/contexts.json or ~/.config/annals/contexts.json, which only you can read. A command uses the context of --context,
else of ANNALS_CONTEXT, else the one in use, unless --url or variables (ANNALS_URL, ANNALS_TOKEN …) name another service.

Examples:
  annals context put prod --url https://annals.example.com --ca-file ca.crt --token-file prod.token
  annals context use prod`

const putHelp = `
Replaces a context of that name. The first one is used at once. The token comes from standard input or stays in a file of its own: an option
would show it to everyone who can list processes.

Examples:
  annals context put prod --url https://annals.example.com --token-stdin < prod.token
  annals context put prod --url https://annals.example.com --ca-file ca.crt --cert-file ada.crt --key-file ada.key`

interface PutOptions extends Pick<Context, 'url' | 'tokenFile' | 'caFile' | 'certFile' | 'keyFile'> {
  readonly tokenStdin?: boolean
  readonly allowPlainHttp?: boolean
}

export function addContext(program: Command, cli: Cli): void {
  const context = program
    .command('context')
    .description('Store addresses and credentials of installations under names.')
    .addHelpText('after', help)
  addList(context, cli)
  addShow(context, cli)
  addUse(context, cli)
  addPut(context, cli)
  addRemove(context, cli)
}

function addList(context: Command, cli: Cli): void {
  context
    .command('list')
    .description('List all contexts; * marks the one in use.')
    .addHelpText('after', '\nExample:\n  annals context list')
    .action(async () => cli.report(listed(await readContexts(cli.env))))
}

function addShow(context: Command, cli: Cli): void {
  context
    .command('show')
    .description('Show a context, without its token.')
    .argument('[name]', 'name of the context; default: the one that commands use')
    .addHelpText('after', '\nExamples:\n  annals context show\n  annals context show prod')
    .action(async (name: string | undefined) => {
      const contexts = await readContexts(cli.env)
      const selected = name ?? (await selectedContext(cli))
      if (selected === undefined)
        throw new UsageError('commands use no context: name one, or select one with annals context use')
      cli.report(shown(contexts, selected))
    })
}

function addUse(context: Command, cli: Cli): void {
  context
    .command('use')
    .description('Use a context from now on.')
    .argument('<name>', 'name of the context')
    .addHelpText('after', '\nExample:\n  annals context use prod')
    .action(async (name: string) => {
      const contexts = await readContexts(cli.env)
      const { url } = contextNamed(contexts, name)
      await writeContexts(cli.env, { ...contexts, current: name })
      cli.report({ document: { current: name, url }, text: `Commands use ${name} (${url}) from now on` })
    })
}

function addPut(context: Command, cli: Cli): void {
  context
    .command('put')
    .description('Create or replace a context.')
    .argument('<name>', 'its name: letters, digits and . _ -')
    .requiredOption('--url <url>', 'address of a service')
    .option('--token-file <file>', 'file with the token: an API key or a JSON Web Token')
    .option('--token-stdin', 'read the token from standard input, and store it in the contexts file')
    .option('--ca-file <file>', 'certificates of the authorities to trust (PEM)')
    .option('--cert-file <file>', 'client certificate (PEM)')
    .option('--key-file <file>', 'private key of the client certificate (PEM)')
    .option(
      '--allow-plain-http',
      'send the token over plain HTTP too, in a network that is encrypted by other means',
    )
    .addHelpText('after', putHelp)
    .action(async (name: string, options: PutOptions) => {
      checkName(name)
      const contexts = await readContexts(cli.env)
      const fresh = await contextOf(options)
      await checkContext(fresh, name)
      const current = contexts.current ?? name
      await writeContexts(cli.env, { current, contexts: { ...contexts.contexts, [name]: fresh } })
      const ending = current === name ? ', and commands use it' : ''
      cli.report({ document: visible(name, fresh), text: `The context ${name} is stored${ending}` })
    })
}

function addRemove(context: Command, cli: Cli): void {
  context
    .command('remove')
    .description('Remove a context with its stored token.')
    .argument('<name>', 'name of the context')
    .addHelpText('after', '\nExample:\n  annals context remove prod')
    .action(async (name: string) => {
      const { current, contexts } = await readContexts(cli.env)
      contextNamed({ contexts }, name)
      const others = Object.fromEntries(Object.entries(contexts).filter(([other]) => other !== name))
      const kept = current === undefined || current === name ? {} : { current }
      await writeContexts(cli.env, { ...kept, contexts: others })
      cli.report({ document: { removed: name }, text: `The context ${name} is removed` })
    })
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return
  throw new UsageError(
    `${quote(name)} is not a name for a context: expected up to 64 letters, digits and . _ -, the first a letter or digit`,
  )
}

async function contextOf(options: PutOptions): Promise<Context> {
  const { url, tokenFile, caFile, certFile, keyFile, tokenStdin, allowPlainHttp } = options
  if (tokenStdin === true && tokenFile !== undefined)
    throw new UsageError('--token-stdin and --token-file are two sources of one token: omit one')
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError('only one of --cert-file and --key-file is given: give both, or none')
  return {
    url,
    ...(tokenStdin === true && { token: (await text(process.stdin)).trim() }),
    ...(tokenFile !== undefined && { tokenFile: resolve(tokenFile) }),
    ...(caFile !== undefined && { caFile: resolve(caFile) }),
    ...(certFile !== undefined && { certFile: resolve(certFile) }),
    ...(keyFile !== undefined && { keyFile: resolve(keyFile) }),
    ...(allowPlainHttp === true && { allowPlainHttp }),
  }
}

/** Reports what every command with the context would fail on, without a request. */
async function checkContext(context: Context, name: string): Promise<void> {
  await new AnnalsClient({ ...(await connectionWith(context, name)), direct: false }).close()
}

/** A context as it may be printed. */
function visible(name: string, { token, ...context }: Context) {
  return { name, ...context, ...(token !== undefined && { hasToken: true }) }
}

function listed({ current, contexts }: Contexts): CommandReport {
  const all = Object.entries(contexts).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const rows = all.map(([name, context]) => [
    name === current ? '*' : '',
    name,
    context.url,
    credentialsOf(context),
  ])
  return {
    document: {
      ...(current !== undefined && { current }),
      contexts: all.map(([name, context]) => visible(name, context)),
    },
    text: rows.length === 0 ? 'There are no contexts' : table(['', 'name', 'url', 'credential'], rows),
  }
}

const credentialsOf = ({ token, tokenFile, certFile }: Context): string =>
  [
    ...(token === undefined && tokenFile === undefined ? [] : ['token']),
    ...(certFile === undefined ? [] : ['certificate']),
  ].join(', ') || 'none'

function shown(contexts: Contexts, name: string): CommandReport {
  const context = contextNamed(contexts, name)
  const { url, token, tokenFile, caFile, certFile, keyFile, allowPlainHttp } = context
  return {
    document: visible(name, context),
    text: listOfPairs([
      ['name', name],
      ['url', url],
      ['token', token === undefined ? tokenFile : 'stored in the contexts file'],
      ['authorities', caFile],
      ['certificate', certFile],
      ['key', keyFile],
      ['plain HTTP', allowPlainHttp === true ? 'allowed' : undefined],
    ]),
  }
}
