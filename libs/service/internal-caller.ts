import { type Caller, RightsTable } from '#access'

const roles = ['service']

/**
 * A service of the installation that acts in its own name, with the rights of the role `service`.
 * @param name of the principal
 */
export const internalCaller = (name: string): Caller => ({
  principal: { name, kind: 'peer', roles },
  rights: new RightsTable({}).of(roles, name),
  isForwarded: false,
  ended: () => undefined,
})
