import { Application, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'

/** The libraries that users' services import. */
const entryPoints = ['client', 'consumer', 'domain', 'event-store', 'event-bus'].map(
  (name) => `libs/${name}/index.ts`,
)

const options: Partial<TypeDocOptions & PluginOptions> = {
  entryPoints,
  plugin: ['typedoc-plugin-markdown'],
  // Types of the whole tree are checked separately.
  skipErrorChecking: true,
  router: 'module',
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeExternals: true,
  sort: ['source-order'],
  logLevel: 'Warn',
  entryFileName: 'README',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
}

/** Writes a page of Markdown for each library that services import, generated from docstrings, into a folder. */
export async function writeSdkReference(folder: string): Promise<void> {
  const app = await Application.bootstrapWithPlugins(options)
  // Only what the libraries import, not the whole tree that tsconfig.json includes: half of the time.
  app.options.setCompilerOptions(entryPoints, app.options.getCompilerOptions(app.logger), undefined)
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the libraries')
  await app.outputs.writeOutput({ name: 'markdown', path: folder }, project)
}
