import { LogPermission } from "../access/log-permission";
import type { Bus } from "../bus";
import type { Scope } from "../service";
import { actingGateway } from "./caller";

/** A log stream of a stage, and the account's role for logs. */
export interface StageLog {
  readonly roleArn: string;
  /** Such as `arn:aws:execute-api:region:account:api/stage`. */
  readonly sourceArn: string;
  readonly scope: Scope;
  readonly group: string;
  readonly stream: string;
}

/** Whether API Gateway may write to the logs of stages. */
export class LogAccess {
  private readonly permissions = new Map<string, LogPermission>();

  constructor(private readonly bus: Bus) {}

  granted({ roleArn, sourceArn, scope, group, stream }: StageLog): boolean {
    const key = [roleArn, scope.account, scope.region, group, stream].join("\n");
    let permission = this.permissions.get(key);
    if (!permission) {
      permission = new LogPermission(this.bus, actingGateway(roleArn, sourceArn), scope, group, stream);
      this.permissions.set(key, permission);
    }
    return permission.granted;
  }

  clear(): void {
    this.permissions.clear();
  }
}
