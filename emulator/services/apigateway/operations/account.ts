import { LogPermission } from "../../../core/access/log-permission";
import { formatArn } from "../../../core/arn";
import { actingGateway } from "../../../core/gateway/caller";
import type { Host } from "../../../core/service";
import { badRequest } from "../errors";
import { type PatchRule, patched } from "../patch";
import type { State } from "../state";
import type { Part, Store } from "../store";

const show = ({ cloudwatchRoleArn }: State, { accountRate }: Host) => ({
  cloudwatchRoleArn,
  throttleSettings: accountRate.throttle,
  features: ["UsagePlans"],
  apiKeyVersion: "4",
});

const rules: PatchRule<{ arn?: string }>[] = [
  {
    path: "/cloudwatchRoleArn",
    ops: ["add", "replace", "remove"],
    apply: (target, { op, value }) => {
      target.arn = op === "remove" || value === "" ? undefined : value;
    },
  },
  { path: "/features", ops: ["add", "remove"], apply: () => {} },
];

/** The log that API Gateway tries a new role with. What it writes there is not emulated. */
const welcome = ["/aws/apigateway/welcome", "welcome"] as const;

/** Account: the role that stage logs are written with. */
export function account(store: Store, host: Host): Part {
  return {
    GetAccount: (_, context) => show(store.of(context), host),
    UpdateAccount({ patchOperations }, context) {
      const state = store.of(context);
      const { arn } = patched({ arn: state.cloudwatchRoleArn }, patchOperations, rules, {
        input: "updateAccountInput",
      });
      if (arn && arn !== state.cloudwatchRoleArn) {
        if (!/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(arn)) throw badRequest("The role ARN is not well formed");
        const acting = actingGateway(arn, formatArn("apigateway", context.region, context.account, "/account"));
        if (host.bus.access.checkTrust(acting))
          throw badRequest(
            "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.",
          );
        if (!new LogPermission(host.bus, acting, context, ...welcome).granted)
          throw badRequest("API Gateway could not successfully write to CloudWatch Logs using the ARN specified");
      }
      state.cloudwatchRoleArn = arn;
      return show(state, host);
    },
  };
}
