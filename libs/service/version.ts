import manifest from '../../package.json' with { type: 'json' }

/** Of Annals, as package.json has it. */
export const { version } = manifest
