import type { Gap } from "../gap";

export const componentsGaps: readonly Gap[] = [
  {
    lacks: "hands no Sec-WebSocket-Protocol of $connect to the client, as WebSocketBroadcast needs it",
    aws: "The headers of $connect's answer",
    tests: [
      "client-broadcast: a live client of the deployed broadcast > gets what is posted for its devices, and follows its subscriptions",
      "client-broadcast: the dashboard of the deployed broadcast > shows what is posted",
      "client-broadcast: a live client of the deployed broadcast, over time > comes back after the gateway closed it as idle, which its pings then prevent",
      "websocket-broadcast-auth",
      "websocket-broadcast-delivery",
    ],
  },
  {
    lacks:
      "takes what services deliver for calls without TLS, so that a Deny on aws:SecureTransport keeps a bucket from its queue",
    aws: "Services deliver by TLS",
    tests: [
      "dashboard-site",
      "openapi",
      "postbox-announce",
      "postbox-publish",
      "pulumi-cli: index.ts by the Pulumi CLI > is deployed, works, stays as it is at a second time, and goes again",
    ],
  },
  {
    lacks: "is started without its MQTT port, which listens on all addresses",
    aws: "MQTT over TLS on 8883 and 443",
    tests: ["deploy-iot"],
  },
  {
    lacks: "has no logging of IoT",
    aws: "SetV2LoggingOptions and entries in AWSIotLogsV2",
    tests: ["deploy-iot-rules"],
  },
  {
    lacks: "has not every operation that an update of a stream asks for",
    aws: "UpdateMaxRecordSize",
    tests: ["deploy-kinesis"],
  },
  {
    lacks: "has no Timestream",
    aws: "Timestream for LiveAnalytics",
    tests: ["deploy-timestream", "handlers-iot-timestream", "timestream-query", "timestream-write"],
  },
  {
    lacks: "has not every operation that an update of a method's response asks for",
    aws: "UpdateMethodResponse",
    tests: ["deploy-types"],
  },
  {
    lacks: "has no models or VPC links of WebSocket APIs, and pages no lists",
    aws: "They are kept, and lists come in pages",
    tests: [
      "deploy-websocket-types: the types of a WebSocket API > are created, updated or replaced, and deleted, and nothing is touched without a change",
    ],
  },
  {
    lacks: "asks IAM for sqs:SendMessageBatch, which is no action of AWS",
    aws: "SendMessageBatch needs sqs:SendMessage",
    tests: [
      "flespi-receiver: when a process is killed in the middle, the function takes its place, and every message is in the table once",
      "flespi-receiver: a receiver with a FIFO queue > sends each message once with its id, those of a device in their order",
      "flespi-receiver: a receiver with a FIFO queue > leaves the channel to a receiver that is at work, until its time is over",
      "flespi-receiver: what can never be published is a dead letter with the reason, and its neighbours are published",
      "flespi-receiver: a run that fails tells why, and nobody is told the token",
      "flespi-receiver: a receiver with a FIFO queue > keeps what names no device as a dead letter",
      "thingsee-options: a request goes through the callback into the table, the queue and the archive, and what fails is dead-lettered",
      "thingsee-options: the replay function, invoked by its name, reports what it did",
      "thingsee-options: logs are kept as long as asked, and the access log has a line of JSON for each request without secrets",
      "thingsee-options: everything goes when the stack is destroyed, the archive with what is in it",
    ],
  },
  {
    lacks: "shows functions in a VPC with other members",
    aws: "VpcConfig with the VPC's id",
    tests: [
      "network-functions: a function in a Network > runs as outside of it and says where it is",
      "network-functions: the VPC of a function > is subnets and security groups together, or refused",
    ],
  },
  {
    lacks: "verifies no whole signature at methods with AWS_IAM",
    aws: "Whatever was changed after signing is 403 with InvalidSignatureException",
    tests: ["thingsee-auth: IAM > refuses who does not sign, and who signs with another secret"],
  },
  {
    lacks: "hands on no X-Ray trace headers",
    aws: "X-Amzn-Trace-Id and AWSTraceHeader go with requests and messages",
    tests: [
      "trace-header: the trace header X-Amzn-Trace-Id > goes with a request to the function, which is a segment of its own in the same trace",
      "trace-header: the trace header X-Amzn-Trace-Id > stays with a message as AWSTraceHeader, of a single one and of each of a batch",
      "trace-header: the trace header X-Amzn-Trace-Id > comes to the function that reads the queue with each message",
    ],
  },
];
