import { clusterText, type NamedCluster } from '#operations'

import type { CommandReport } from '../cli.ts'

/** Adds the cluster to the start of a report, so that an operator who used the wrong one notices it. */
export const ofCluster = (cluster: NamedCluster, report: CommandReport): CommandReport => ({
  ...report,
  document: { cluster, ...report.document },
  text: `${clusterText(cluster)}\n${report.text}`,
})
