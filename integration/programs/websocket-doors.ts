import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { WebSocketBroadcast } from "../../components";

/** A broadcast for each way of saying who may connect. */

const pool = new aws.cognito.UserPool("people", {});
const client = new aws.cognito.UserPoolClient("app", {
  userPoolId: pool.id,
  explicitAuthFlows: ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
});
/** Where the pool's issuer is: on AWS, `https://cognito-idp.<region>.amazonaws.com`. */
const issuers = new pulumi.Config().require("issuers");

const callback = new WebSocketBroadcast("callback", {
  singleToken: true,
  authorize: (token) => {
    if (token === "broken") throw new Error("the directory does not answer");
    if (token === "limited-token") return { id: "visitor", devices: ["TSPR1"] };
    return token === "a-token-of-the-house" ? { id: "house" } : undefined;
  },
  messages: true,
});
const fixed = new WebSocketBroadcast("fixed", { auth: { token: "a-token-that-was-chosen" } });
const iam = new WebSocketBroadcast("iam", { auth: "iam" });
const jwt = new WebSocketBroadcast("jwt", {
  auth: { jwt: { issuer: pulumi.interpolate`${issuers}/${pool.id}`, audience: client.id, devicesClaim: "devices" } },
});

const logGroups = [callback, fixed, jwt].flatMap(({ nodes }) => [
  nodes.accessLogs.name,
  ...[nodes.authorizerFunction, nodes.connect, nodes.actions, nodes.broadcast].flatMap(
    (made) => made?.logGroup.name ?? [],
  ),
]);
export const logs = pulumi.all(logGroups);
export const callbackUrl = callback.url;
export const callbackQueueUrl = callback.queue.url;
export const fixedUrl = fixed.url;
export const fixedToken = fixed.token;
export const iamUrl = iam.url;
export const { invokeArn } = iam;
export const jwtUrl = jwt.url;
export const userPoolId = pool.id;
export const clientId = client.id;
