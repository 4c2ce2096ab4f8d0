import type { Host } from "../../../core/service";
import { badRequest } from "../errors";
import { type PatchRule, patched } from "../patch";
import type { State } from "../state";
import type { Part, Store } from "../store";

/** The account's own limit on all its APIs in a region (AWS general reference, API Gateway quotas). */
export const accountThrottle = { rateLimit: 10_000, burstLimit: 5_000 };

const show = ({ cloudwatchRoleArn }: State) => ({
  cloudwatchRoleArn,
  throttleSettings: accountThrottle,
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

/** Account: the role that stage logs are written with. */
export function account(store: Store, { bus }: Host): Part {
  return {
    GetAccount: (_, context) => show(store.of(context)),
    async UpdateAccount({ patchOperations }, context) {
      const state = store.of(context);
      const { arn } = patched({ arn: state.cloudwatchRoleArn }, patchOperations, rules, {
        input: "updateAccountInput",
      });
      if (arn && arn !== state.cloudwatchRoleArn) {
        if (!/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(arn)) throw badRequest("The role ARN is not well formed");
        const role = await (await bus.to("iam")).role(arn);
        if (!role?.trustPolicy.includes("apigateway.amazonaws.com"))
          throw badRequest(
            "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.",
          );
      }
      state.cloudwatchRoleArn = arn;
      return show(state);
    },
  };
}
