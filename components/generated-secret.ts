import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/**
 * A secret of 20 to 40 letters and digits that AWS makes and that stays the same from one deployment to the next: the
 * value of an API key that is disabled and in no usage plan, so that it opens nothing by itself. It costs nothing, and
 * needs no provider beside AWS's.
 *
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/apigateway/apikey/
 */
export const generatedSecret = (name: string, opts?: pulumi.CustomResourceOptions): pulumi.Output<string> =>
  pulumi.secret(new aws.apigateway.ApiKey(name, { enabled: false }, opts).value);
