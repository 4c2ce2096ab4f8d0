import * as aws from "@pulumi/aws";
import { ThingseeIngest } from "../../components";

/** An ingest for each way of saying who may post. */

const pool = new aws.cognito.UserPool("people", {});
const client = new aws.cognito.UserPoolClient("app", {
  userPoolId: pool.id,
  explicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
});

const keys = new ThingseeIngest("keys", {
  auth: {
    apiKeys: [
      { name: "slow", value: "a-key-of-the-slow-caller", throttle: { rateLimit: 1, burstLimit: 3 } },
      { name: "daily", quota: { limit: 2, period: "DAY" } },
      { name: "free" },
    ],
  },
});
const iam = new ThingseeIngest("iam", { auth: "iam" });
const cognito = new ThingseeIngest("cognito", { auth: { cognito: { userPoolArns: [pool.arn] } } });
const lambda = new ThingseeIngest("lambda", {
  auth: {
    lambda: {
      header: "X-Token",
      ttlSeconds: 0,
      authorize: (token, { path }) => {
        if (token === "broken") throw new Error("the directory does not answer");
        if (token === "unknown") throw new Error("Unauthorized");
        if (token === "yes") return true as unknown as { id: string };
        return token === `open ${path.split("/").at(-1)}` ? { id: "haltian", context: { level: 1 } } : undefined;
      },
    },
  },
});
const open = new ThingseeIngest("open", { auth: "none", path: "iot/thingsee", stageName: "live" });

export const keysUrl = keys.url;
export const { apiKeys } = keys;
export const iamUrl = iam.url;
export const cognitoUrl = cognito.url;
export const userPoolId = pool.id;
export const clientId = client.id;
export const lambdaUrl = lambda.url;
export const openUrl = open.url;
