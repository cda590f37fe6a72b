import { clusterText, type NamedCluster } from '#operations'

import type { Report } from '../cli.ts'

/** A report that begins with the cluster it is about: an operator who asked the wrong one sees it at once. */
export const ofCluster = (cluster: NamedCluster, report: Report): Report => ({
  ...report,
  document: { cluster, ...report.document },
  text: `${clusterText(cluster)}\n${report.text}`,
})
