export { MembershipDouble } from './membership-double.ts'
