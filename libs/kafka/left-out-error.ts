/** The leader assigned no partitions to this member although there are enough for all members. */
export class LeftOutError extends Error {
  constructor(groupId: string, url: string) {
    super(
      `this member of ${groupId} was given no partitions, though there are enough: others cannot reach it at ${url} (ANNALS_ADVERTISED_URL), or another process answers there. It rejoins`,
    )
  }
}
