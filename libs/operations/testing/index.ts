export { Repartition } from '../topics/repartition/repartition.ts'
