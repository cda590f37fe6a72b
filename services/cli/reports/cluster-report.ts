import { clusterText, type NamedCluster } from '#operations'

import type { Report } from '../cli.ts'

/** Adds the cluster to the start of a report, so that an operator who used the wrong one notices it. */
export const ofCluster = (cluster: NamedCluster, report: Report): Report => ({
  ...report,
  document: { cluster, ...report.document },
  text: `${clusterText(cluster)}\n${report.text}`,
})
