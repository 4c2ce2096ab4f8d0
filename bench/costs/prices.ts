/** What AWS charges for one unit in us-east-1, in US dollars, without any free tier. */
export interface Price {
  dollars: number;
  /** What is counted. */
  unit: string;
  source: string;
}

const page = (service: string) => `https://aws.amazon.com/${service}/pricing/`;
const million = 1e6;

/** List prices of November 2026. */
export const prices = {
  restRequest: { dollars: 3.5 / million, unit: "REST API requests", source: page("api-gateway") },
  webSocketMessage: { dollars: 1 / million, unit: "WebSocket messages of 32 KB", source: page("api-gateway") },
  connectionMinute: { dollars: 0.25 / million, unit: "WebSocket connection minutes", source: page("api-gateway") },
  lambdaRequest: { dollars: 0.2 / million, unit: "Lambda requests", source: page("lambda") },
  lambdaGBSecond: { dollars: 0.0000133334, unit: "Lambda GB-seconds on arm64", source: page("lambda") },
  tableWrite: { dollars: 0.625 / million, unit: "DynamoDB writes of 1 KB", source: page("dynamodb/on-demand") },
  tableRead: { dollars: 0.125 / million, unit: "DynamoDB reads of 4 KB", source: page("dynamodb/on-demand") },
  queueRequest: { dollars: 0.4 / million, unit: "SQS requests of 64 KB", source: page("sqs") },
  streamHour: { dollars: 0.04, unit: "Kinesis stream hours, on demand", source: page("kinesis/data-streams") },
  streamGBIn: { dollars: 0.08, unit: "Kinesis GB in", source: page("kinesis/data-streams") },
  streamGBOut: { dollars: 0.04, unit: "Kinesis GB out", source: page("kinesis/data-streams") },
  objectPut: { dollars: 5 / million, unit: "S3 PUT requests", source: page("s3") },
  logGB: { dollars: 0.5, unit: "GB of logs", source: page("cloudwatch") },
  iotMessage: { dollars: 1 / million, unit: "AWS IoT messages of 5 KB", source: page("iot-core") },
  iotRule: { dollars: 0.15 / million, unit: "AWS IoT rules triggered, and actions", source: page("iot-core") },
} satisfies Record<string, Price>;

export type Priced = keyof typeof prices;
