import manifest from '../../package.json' with { type: 'json' }

/** The version of Annals, from package.json. */
export const { version } = manifest
