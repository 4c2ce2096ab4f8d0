import type { DeployedResource } from "../../deploy";

/** What people call the services, by signing name. */
const services: Readonly<Record<string, string>> = {
  apigateway: "API Gateway",
  apigatewayv2: "API Gateway",
  "cognito-idp": "Cognito",
  dynamodb: "DynamoDB",
  dynamodbstreams: "DynamoDB Streams",
  events: "EventBridge",
  "execute-api": "API Gateway",
  iam: "IAM",
  iot: "AWS IoT",
  iotdata: "AWS IoT",
  kinesis: "Kinesis",
  lambda: "Lambda",
  logs: "CloudWatch Logs",
  s3: "S3",
  sns: "SNS",
  sqs: "SQS",
  sts: "STS",
  timestream: "Timestream",
  timestreamquery: "Timestream",
};

export const serviceName = (service: string): string =>
  (Object.hasOwn(services, service) ? services[service] : undefined) ?? service;

/** The text of an output, where it is one. */
export const textOf = ({ outputs }: DeployedResource, name: string): string | undefined => {
  const value = outputs[name]?.value;
  return typeof value === "string" ? value : undefined;
};

/** Calls resources what the program calls them: `live-queue`, and not `live-queue-2f4f7f9`. */
export class Names {
  private readonly byArn = new Map<string, string>();

  constructor(resources: readonly DeployedResource[]) {
    for (const resource of resources) {
      const arn = textOf(resource, "arn");
      // Event targets and the like show the ARN of what they lead to.
      if (arn !== undefined && !this.byArn.has(arn)) this.byArn.set(arn, resource.name);
    }
  }

  /** The name of what an ARN stands for; of a part of a resource, such as an object, with the part. */
  of(arn: string): string {
    const known = this.byArn.get(arn);
    if (known !== undefined) return known;
    for (let cut = arn.length; cut > 0; cut = Math.max(arn.lastIndexOf("/", cut - 1), arn.lastIndexOf(":", cut - 1))) {
      const whole = this.byArn.get(arn.slice(0, cut));
      if (whole !== undefined) return `${whole}${arn.slice(cut)}`;
    }
    const [, , service, , , ...rest] = arn.split(":");
    const resource = rest.join(":");
    return service === "s3" || resource === "" ? resource || arn : resource.replace(/^[a-z-]+[/:]/, "");
  }

  /** Who called: the function, the role or user, or the service. */
  caller(arn: string): string {
    const session = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn);
    if (!session) return arn.startsWith("arn:") ? this.of(arn) : arn;
    const [, role = "", name = ""] = session;
    // The session of a function's role is called like the function.
    const fn = [...this.byArn].find(([known]) => known.endsWith(`:function:${name}`));
    const roleArn = [...this.byArn].find(([known]) => known.endsWith(`:role/${role}`));
    return fn?.[1] ?? roleArn?.[1] ?? role;
  }
}
