import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type ServeDashboardOptions, type ServedDashboard, serveDashboard } from "./dashboard";

/** What the page needs of the stack's outputs. */
export interface LiveOutputs {
  readonly liveUrl: string;
  readonly liveToken: string;
  /** URLs of the queues whose messages count as dead letters. */
  readonly deadLetterQueues: readonly string[];
}

/**
 * Serves the dashboard beside the emulator: on the port after the emulator's, or a free one.
 */
export async function serveLive(
  { liveUrl, liveToken, deadLetterQueues }: LiveOutputs,
  { endpoint, port }: { endpoint: string; port: number },
): Promise<ServedDashboard> {
  const sqs = new SQSClient({
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const waiting = async (QueueUrl: string) => {
    const AttributeNames = ["ApproximateNumberOfMessages" as const];
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  };
  const options: Omit<ServeDashboardOptions, "port"> = {
    wsUrl: liveUrl,
    token: liveToken,
    status: async () => {
      const counts = await Promise.all(deadLetterQueues.map(waiting));
      return { deadLetters: counts.reduce((sum, count) => sum + count, 0) };
    },
  };
  try {
    return await serveDashboard({ ...options, port: port + 1 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return serveDashboard({ ...options, port: 0 });
  }
}
