import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Authorize } from "../handlers/authorizer";
import { naming, secretHolder } from "../handlers/postbox/authorize";
import { PUBLISHED } from "../handlers/postbox/keys";
import { PRINCIPAL } from "../handlers/postbox/message";
import { type MethodAuth, makeLambdaAuth } from "./api-auth";
import type { FunctionSettings, InlineFunction } from "./inline-function";
import { allow, trust } from "./policy";
import type { PostboxAuth } from "./postbox-args";

/** The last part of the URL. */
export const PATH = "publish";
const HEADER = "AuthDetails";
const TTL_SECONDS = 10;
/** One for all components of a program that have a secret. */
const bySecret: Authorize = naming(secretHolder);

/** Makes what stands before the method. */
export function makePostboxAuth(
  name: string,
  auth: PostboxAuth,
  api: aws.apigateway.RestApi,
  settings: FunctionSettings & { title: string },
  opts: pulumi.CustomResourceOptions,
): MethodAuth {
  if (auth === "none") return { method: { authorization: "NONE" }, apiKeys: [], dependencies: [] };
  const { header = HEADER, ttlSeconds = TTL_SECONDS } = auth;
  if ("secret" in auth) {
    const hash = pulumi.secret(auth.secret).apply((text) => createHash("sha256").update(text).digest("hex"));
    const environment = { POSTBOX_SECRET_HASH: hash };
    return makeLambdaAuth(name, { authorize: bySecret, header, ttlSeconds, environment }, api, settings, opts);
  }
  const { authorize, environment, statements } = auth;
  const title = `${settings.title}: auth.authorize`;
  const args = { authorize: naming(authorize), header, ttlSeconds, environment, statements };
  return makeLambdaAuth(name, args, api, { ...settings, title }, opts);
}

/** A way of an HTTP request into the bucket: a method with its integration, and what must be deployed anew for. */
export interface Way {
  readonly method: aws.apigateway.Method;
  readonly definition: Record<string, unknown>;
  readonly dependencies: pulumi.Resource[];
}

interface WayArgs {
  api: aws.apigateway.RestApi;
  auth: MethodAuth;
}

function makeMethod(name: string, { api, auth }: WayArgs, headers: string[], opts: pulumi.CustomResourceOptions) {
  const resource = new aws.apigateway.Resource(
    `${name}-resource`,
    { restApi: api.id, parentId: api.rootResourceId, pathPart: PATH },
    opts,
  );
  const method = new aws.apigateway.Method(
    `${name}-post`,
    {
      ...{ restApi: api.id, resourceId: resource.id, httpMethod: "POST", ...auth.method },
      requestParameters: Object.fromEntries(headers.map((header) => [`method.request.header.${header}`, false])),
    },
    opts,
  );
  return { method, at: { restApi: api.id, resourceId: resource.id, httpMethod: method.httpMethod } };
}

/** The part of a deployment's definition that all ways share. */
const definitionOf = ({ authorizer, method }: MethodAuth) => {
  const { type, authorizerUri, identitySource, authorizerResultTtlInSeconds } = authorizer ?? {};
  return {
    path: PATH,
    auth: method,
    authorizer: { type, authorizerUri, identitySource, authorizerResultTtlInSeconds },
  };
};

/** Through a function. */
export function makeFunctionWay(
  name: string,
  args: WayArgs & { receive: InlineFunction },
  opts: pulumi.CustomResourceOptions,
): Way {
  const { method, at } = makeMethod(name, args, [], opts);
  const uri = args.receive.function.invokeArn;
  const integration = new aws.apigateway.Integration(
    `${name}-integration`,
    // How API Gateway calls Lambda, whatever the method of the request.
    { ...at, type: "AWS_PROXY", integrationHttpMethod: "POST", uri },
    opts,
  );
  const definition = { ...definitionOf(args.auth), uri };
  return { method, definition, dependencies: [method, integration, ...args.auth.dependencies] };
}

/** An answer to the publisher by S3's status. Templates do not see the bytes of an answer but as Base64. */
interface Answer {
  readonly status: string;
  /** S3's statuses, as a pattern; all others without one. */
  readonly pattern?: string;
  readonly template: string;
}

const ANSWERS: readonly Answer[] = [
  { status: "200", pattern: "200", template: '{"id": "$context.requestId"}' },
  {
    status: "400",
    pattern: "403",
    // The bucket's policy denies empty bodies, in so many words; any other refusal is no fault of the publisher's.
    template: [
      '#set($answer = "$!input.body")',
      '#if(!$answer.startsWith("<"))#set($answer = $util.base64Decode($answer))#end',
      '#if($answer.contains("explicit deny"))',
      '{"message": "The body is empty; send what is to be published"}',
      "#else#set($context.responseOverride.status = 500)",
      '{"message": "The body could not be stored"}',
      "#end",
    ].join(""),
  },
  // 409 of S3 says that another write was under way, and not that it went well.
  { status: "409", pattern: "412", template: '{"message": "A request with this id was stored already"}' },
  { status: "503", pattern: "409|5\\d\\d", template: '{"message": "The body could not be stored; send it again"}' },
  { status: "500", template: '{"message": "The body could not be stored"}' },
];

/**
 * Straight into the bucket: API Gateway puts the body there, byte by byte, as every type is a binary one of the API and
 * nothing converts it. Never over another object: a client can choose the id of its request.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function makeBucketWay(
  name: string,
  args: WayArgs & { bucket: aws.s3.Bucket },
  opts: pulumi.CustomResourceOptions,
): Way & { role: aws.iam.Role } {
  const { api, auth, bucket } = args;
  const { method, at } = makeMethod(name, args, ["Content-Type"], opts);
  const role = new aws.iam.Role(`${name}-store-role`, { assumeRolePolicy: trust("apigateway.amazonaws.com") }, opts);
  const put = { actions: ["s3:PutObject"], resources: [pulumi.interpolate`${bucket.arn}/${PUBLISHED}*`] };
  const policy = new aws.iam.RolePolicy(`${name}-store-policy`, { role: role.name, policy: allow([put]) }, opts);
  // arn:aws:execute-api:region:account:api
  const region = api.executionArn.apply((arn) => arn.split(":")[3]);
  const partition = api.executionArn.apply((arn) => arn.split(":")[1]);
  const integrationArgs = {
    type: "AWS",
    integrationHttpMethod: "PUT",
    uri: pulumi.interpolate`arn:${partition}:apigateway:${region}:s3:path/${bucket.bucket}/${PUBLISHED}{time}/{id}`,
    credentials: role.arn,
    passthroughBehavior: "WHEN_NO_MATCH",
    requestParameters: {
      "integration.request.path.time": "context.requestTimeEpoch",
      "integration.request.path.id": "context.requestId",
      "integration.request.header.Content-Type": "method.request.header.Content-Type",
      "integration.request.header.If-None-Match": "'*'",
      ...(auth.authorizer && {
        [`integration.request.header.x-amz-meta-${PRINCIPAL}`]: `context.authorizer.${PRINCIPAL}`,
      }),
    },
  };
  const integration = new aws.apigateway.Integration(`${name}-integration`, { ...at, ...integrationArgs }, opts);
  const answers = ANSWERS.flatMap(({ status, pattern, template }) => {
    const methodResponse = new aws.apigateway.MethodResponse(
      `${name}-answer-${status}`,
      { ...at, statusCode: status, responseModels: { "application/json": "Empty" } },
      opts,
    );
    const integrationResponse = new aws.apigateway.IntegrationResponse(
      `${name}-stored-${status}`,
      {
        ...at,
        statusCode: methodResponse.statusCode,
        selectionPattern: pattern,
        // S3's own answer is a binary one, too, where every type is: a template cannot be applied to such.
        contentHandling: "CONVERT_TO_TEXT",
        responseTemplates: { "application/json": template },
      },
      { ...opts, dependsOn: [integration] },
    );
    return [methodResponse, integrationResponse];
  });
  const definition = { ...definitionOf(auth), integration: integrationArgs, answers: ANSWERS };
  return { method, role, definition, dependencies: [method, integration, ...answers, policy, ...auth.dependencies] };
}

/** What API Gateway says to a body that is too large for it, or for Lambda. */
export function makeTooLarge(
  name: string,
  api: aws.apigateway.RestApi,
  mode: "s3" | "lambda",
  opts: pulumi.CustomResourceOptions,
): aws.apigateway.Response {
  const most = mode === "s3" ? "10 MB" : "6 MB, or 4.5 MB where it is not text";
  return new aws.apigateway.Response(
    `${name}-too-large`,
    {
      restApiId: api.id,
      responseType: "REQUEST_TOO_LARGE",
      statusCode: "413",
      responseTemplates: {
        "application/json": JSON.stringify({ message: `The body is too large; send at most ${most}` }),
      },
    },
    opts,
  );
}
