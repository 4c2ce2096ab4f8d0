import type { Identity } from "./access/identity";

/** Who uses a port: a service that the policy of the resource has to let in, or the session of a role that one acts as. */
export type PortCaller = ServiceCaller | Identity;

/** An AWS service that acts for a resource: what policies of other resources see of it. */
export interface ServiceCaller {
  /** The service principal, such as `s3.amazonaws.com`. */
  readonly principal: string;
  /** The resource it acts for, such as a bucket's ARN. */
  readonly sourceArn: string;
  /** The account of that resource. */
  readonly sourceAccount: string;
}
