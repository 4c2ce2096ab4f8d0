import { InvalidInput } from "../errors";
import { recordedType } from "./recorded";
import type { AnyResourceType } from "./types";

type Group = Record<string, AnyResourceType>;

/** Where the types of a module are; loaded when the first one is used. A new group gets a line here. */
const groups: [modules: RegExp, load: () => Group][] = [
  [/^aws:dynamodb\//, () => require("./dynamodb").types],
  [/^aws:kinesis\//, () => require("./kinesis").types],
  [/^aws:sqs\//, () => require("./sqs").types],
  [/^aws:sns\//, () => require("./sns").types],
  [/^aws:iam\//, () => require("./iam").types],
  [
    /^aws:iot\/(certificate|caCertificate|policy|policyAttachment|thingPrincipalAttachment):/,
    () => require("./iot-access").types,
  ],
  [/^aws:iot\/loggingOptions:/, () => require("./iot-logging").types],
  [/^aws:iot\/topicRule:/, () => require("./iot-rules").types],
  [/^aws:iot\/(thing|billing)/, () => require("./iot-things").types],
  [/^aws:s3\/bucket(V2)?:/, () => require("./s3-bucket").types],
  [/^aws:s3\/bucketObject(v2)?:/, () => require("./s3-object").types],
  [/^aws:s3\//, () => require("./s3-settings").types],
  [/^aws:lambda\/(function|alias):/, () => require("./lambda").types],
  [/^aws:lambda\//, () => require("./lambda-triggers").types],
  [/^aws:cloudwatch\/log/, () => require("./logs").types],
  [/^aws:cloudwatch\/event/, () => require("./events").types],
  [/^aws:apigateway\/(method|integration)/, () => require("./apigateway-methods").types],
  [
    /^aws:apigateway\/(deployment|stage|account|domainName|basePathMapping):/,
    () => require("./apigateway-stages").types,
  ],
  [/^aws:apigateway\/(apiKey|usagePlan|usagePlanKey):/, () => require("./apigateway-plans").types],
  [/^aws:apigateway\//, () => require("./apigateway").types],
  [/^aws:apigatewayv2\/(deployment|stage|domainName|apiMapping):/, () => require("./apigatewayv2-stages").types],
  [/^aws:apigatewayv2\//, () => require("./apigatewayv2").types],
  [/^aws:timestreamwrite\//, () => require("./timestream").types],
  [/^aws:cognito\//, () => require("./cognito").types],
];

/** How a type is handled. Throws for a type that is neither emulated nor recorded. */
export function findResourceType(name: string): { type: AnyResourceType; recorded: boolean } {
  for (const [modules, load] of groups) {
    if (!modules.test(name)) continue;
    const type = load()[name];
    if (type) return { type, recorded: false };
  }
  if (name.startsWith("pulumi-nodejs:dynamic")) return { type: require("./dynamic").dynamicResource, recorded: false };
  const recorded = recordedType(name);
  if (recorded) return { type: recorded, recorded: true };
  throw new InvalidInput(
    `${name} is not supported by the Sensorcast engine; deploy it with the Pulumi CLI, or leave it out locally`,
  );
}
