import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { InlineFunction, type InlineFunctionArgs } from "./inline-function";

export interface LambdaAuthorizerArgs<Authorizer> {
  /** The API that it stands before, of either kind. */
  api: { executionArn: pulumi.Input<string> };
  /** The function; it gets 10 seconds and 256 MB unless it says otherwise. */
  function: InlineFunctionArgs;
  /** Makes the authorizer: REST and WebSocket APIs have a resource type each. */
  make: (name: string, authorizerUri: pulumi.Output<string>, opts: pulumi.CustomResourceOptions) => Authorizer;
}

/** The function behind a Lambda authorizer, the authorizer, and API Gateway's permission to call the one for the other. */
export function makeLambdaAuthorizer<Authorizer extends pulumi.CustomResource>(
  name: string,
  args: LambdaAuthorizerArgs<Authorizer>,
  opts: pulumi.CustomResourceOptions,
) {
  const part = `${name}-authorizer`;
  const authorizerFunction = new InlineFunction(part, { timeout: 10, memorySize: 256, ...args.function }, opts);
  const authorizer = args.make(part, authorizerFunction.function.invokeArn, opts);
  const permission = new aws.lambda.Permission(
    `${part}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: authorizerFunction.function.name,
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${args.api.executionArn}/authorizers/${authorizer.id}`,
    },
    opts,
  );
  /** `dependencies`: what must be there before the API is deployed. */
  return { authorizer, authorizerFunction, dependencies: [authorizer, permission] as pulumi.Resource[] };
}
