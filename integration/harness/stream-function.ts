import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, expect } from "vitest";
import { settings, useEmulator } from "./emulator";
import { makeFunction } from "./functions";
import { useKinesis } from "./kinesis";
import { type RemoteRun, useRemoteFunctions } from "./remote-function";

export type MappingOptions = Partial<CreateEventSourceMappingCommandInput>;

/** The function that all streams of a test file share: an environment that is warm is there at once. */
export const consumer = "consumer";

/** An emulator with streams and a function that reads them, for one test file. Read it inside tests only. */
export function useStreamFunction() {
  const emulator = useEmulator();
  const remote = useRemoteFunctions();
  const kinesis = useKinesis(emulator);
  let clients: { lambda: LambdaClient; sqs: SQSClient } | undefined;
  const aws = () => {
    clients ??= {
      lambda: new LambdaClient(settings(emulator.current)),
      sqs: new SQSClient(settings(emulator.current)),
    };
    return clients;
  };
  beforeAll(async () => {
    await makeFunction(aws().lambda, consumer, remote.codeNamedBy('event.Records[0].eventSourceARN.split("/")[1]'));
  });

  /** Makes a function read a stream. Gives the UUID of the mapping. */
  const connect = async (stream: string, FunctionName: string, options: MappingOptions = {}): Promise<string> => {
    const { UUID } = await aws().lambda.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: kinesis.arn(stream),
        FunctionName,
        StartingPosition: "TRIM_HORIZON",
        ...options,
      }),
    );
    return UUID!;
  };

  /** A stream that the function reads; its runs end as the test says. */
  const wire = async (name: string, options: MappingOptions = {}, ShardCount = 1) => {
    await kinesis.stream({ StreamName: name, ShardCount });
    const UUID = await connect(name, consumer, options);
    let passing: Promise<void> | undefined;
    const lastResult = async (mapping: string) =>
      (await aws().lambda.send(new GetEventSourceMappingCommand({ UUID: mapping }))).LastProcessingResult;
    return {
      uuid: UUID,
      next: () => remote.next(name),
      put: (data: string, key?: string, more = {}) => kinesis.put(name, data, key, more),
      putAll: (...data: string[]) =>
        kinesis.putAll(
          name,
          data.map((one) => [one]),
        ),
      update: (change: Omit<MappingOptions, "FunctionName">) =>
        aws().lambda.send(new UpdateEventSourceMappingCommand({ UUID, ...change })),
      /** Lets time pass until the function is called again. It stands still while the function runs, and goes on then. */
      async again() {
        if (!passing) {
          await emulator.current.clock.idle();
          passing = emulator.current.clock.advance("1 hour").finally(() => {
            passing = undefined;
          });
        }
        return remote.next(name);
      },
      /** Waits until the last batch, of this mapping unless another is named, has come to this. */
      result: (wanted: string, mapping = UUID) => expect.poll(() => lastResult(mapping), { interval: 2 }).toBe(wanted),
    };
  };

  /** A queue and its next message, parsed. */
  const makeQueue = async (name: string) => {
    const { QueueUrl } = await aws().sqs.send(new CreateQueueCommand({ QueueName: name }));
    return {
      arn: `arn:aws:sqs:eu-west-1:000000000000:${name}`,
      async next() {
        const { Messages } = await aws().sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
        return JSON.parse(Messages![0]!.Body!);
      },
    };
  };

  return { emulator, remote, kinesis, aws, connect, wire, makeQueue };
}

/** The data of the records that a run was given. */
export const dataOf = ({ event }: Pick<RemoteRun, "event">): string[] =>
  event.Records.map(({ kinesis: record }: { kinesis: { data: string } }) =>
    Buffer.from(record.data, "base64").toString("utf8"),
  );

/** Their sequence numbers. */
export const numbersOf = ({ event }: Pick<RemoteRun, "event">): string[] =>
  event.Records.map(({ kinesis: record }: { kinesis: { sequenceNumber: string } }) => record.sequenceNumber);
