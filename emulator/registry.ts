import type { Ports } from "./core/bus";
import type { ServiceDefinition } from "./core/service";

/**
 * Every service, by its SigV4 signing name, loaded on first use. `ports` names what it offers on the bus.
 * To add a service: write `services/<name>/index.ts` and give it a line here.
 */
export const registry: Record<string, { load: () => ServiceDefinition<never>; ports?: readonly (keyof Ports)[] }> = {
  sts: { load: () => require("./services/sts").definition, ports: ["sts"] },
  iam: { load: () => require("./services/iam").definition, ports: ["iam"] },
  logs: { load: () => require("./services/logs").definition, ports: ["logs"] },
  dynamodb: { load: () => require("./services/dynamodb").definition, ports: ["dynamodb", "dynamodbStreams"] },
  // Signs as "dynamodb", too; its X-Amz-Target is another (core/address.ts).
  dynamodbstreams: { load: () => require("./services/dynamodbstreams").definition },
  sqs: { load: () => require("./services/sqs").definition, ports: ["sqs"] },
  sns: { load: () => require("./services/sns").definition, ports: ["sns"] },
  events: { load: () => require("./services/events").definition, ports: ["events"] },
  kinesis: { load: () => require("./services/kinesis").definition, ports: ["kinesis"] },
  timestream: { load: () => require("./services/timestream").definition, ports: ["timestream"] },
  // Signs as "timestream", too; its operations are others (core/address.ts).
  timestreamquery: { load: () => require("./services/timestreamquery").definition },
  s3: { load: () => require("./services/s3").definition, ports: ["s3"] },
  lambda: { load: () => require("./services/lambda").definition, ports: ["lambda"] },
  apigateway: { load: () => require("./services/apigateway").definition, ports: ["apigateway"] },
  // Signs as "apigateway", too; its paths begin with /v2/ (core/address.ts).
  apigatewayv2: { load: () => require("./services/apigatewayv2").definition },
  iot: { load: () => require("./services/iot").definition, ports: ["iot"] },
  iotdata: { load: () => require("./services/iotdata").definition },
  "cognito-idp": { load: () => require("./services/cognito-idp").definition, ports: ["cognito"] },
};
