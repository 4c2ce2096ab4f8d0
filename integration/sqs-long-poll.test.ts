import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, it, vi } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();

it("gives no message to a long poll whose caller has gone away", async () => {
  const sqs = new SQSClient(settings(emulator.current));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "left-alone" }));
  const gone = new AbortController();
  const answered = vi.fn();
  const stop = emulator.current.watch(({ operation }) => operation === "ReceiveMessage" && answered());
  const arrived = new Promise<void>((resolve) => {
    emulator.current.intercept(({ operation }) => {
      if (operation === "ReceiveMessage") resolve();
    });
  });
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal });
  await arrived;
  gone.abort();
  await expect(poll).rejects.toThrow(/abort/i);
  // The poll ends on the emulator's side too, long before its 20 seconds.
  await vi.waitFor(() => expect(answered).toHaveBeenCalledOnce());
  stop();

  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "for the next one" }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages?.map(({ Body }) => Body)).toEqual(["for the next one"]);
});
