import { LambdaClient } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { ClientOptions } from "ws";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";
import { makeFunction } from "./functions";
import { TestClient } from "./websocket-api";

/** An event of a WebSocket API, as far as tests look at it one by one. */
export interface RecordedEvent {
  headers?: Record<string, string>;
  requestContext: Record<string, unknown> & { connectionId: string; eventType: string; connectedAt: number };
}

export interface Recorded {
  readonly client: TestClient;
  readonly connectionId: string;
  readonly event: RecordedEvent;
}

/** A function that answers 200 and tells a queue each of its events. */
export interface Recorder {
  readonly functionArn: string;
  /** All events that were taken from the queue, those that nobody waited for included. */
  readonly seen: readonly RecordedEvent[];
  /** Connects, and gives the connection's id with the event that told it. */
  connect(url: string, ...rest: [protocols?: string[], options?: ClientOptions]): Promise<Recorded>;
  /** Waits for the next event of a kind on a connection; others before it are dropped. */
  next(eventType: "CONNECT" | "MESSAGE" | "DISCONNECT", connectionId?: string): Promise<RecordedEvent>;
}

export async function makeRecorder(emulator: Pick<Emulator, "endpoint">, name = "recorder"): Promise<Recorder> {
  const sqs = new SQSClient(settings(emulator));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const functionArn = await makeFunction(
    new LambdaClient(settings(emulator)),
    name,
    `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
    const sqs = new SQSClient({});
    exports.handler = async (event) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: ${JSON.stringify(QueueUrl)}, MessageBody: JSON.stringify(event) }));
      return { statusCode: 200 };
    };`,
  );
  const seen: RecordedEvent[] = [];
  const recorder: Recorder = {
    functionArn,
    seen,
    async connect(url, ...rest) {
      const client = await TestClient.connect(url, ...rest);
      const event = await recorder.next("CONNECT");
      return { client, event, connectionId: event.requestContext.connectionId };
    },
    async next(eventType, connectionId) {
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 1 }),
        );
        const [message] = Messages;
        if (!message) throw new Error(`no ${eventType} event came`);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        const event = JSON.parse(message.Body!) as RecordedEvent;
        seen.push(event);
        const { requestContext } = event;
        if (requestContext.eventType !== eventType) continue;
        if (connectionId === undefined || requestContext.connectionId === connectionId) return event;
      }
    },
  };
  return recorder;
}
