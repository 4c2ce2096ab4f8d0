import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Emulator } from "../emulator";
import { dashboardSite } from "./dashboard";
import { type Inspected, inspectorSite } from "./inspector/site";
import { type ServedPages, type Site, servePages } from "./page-server";

/** What the pages need of the stack. */
export interface LiveOutputs extends Omit<Inspected, "emulator"> {
  /** URL of a WebSocketBroadcast; without one there is no dashboard. */
  readonly liveUrl?: string;
  readonly liveToken?: string;
}

export interface LivePages {
  readonly dashboardUrl?: string;
  readonly inspectorUrl: string;
  /** Shows the stack as it is after an update. */
  show(outputs: Pick<LiveOutputs, "liveUrl" | "liveToken" | "resources">): void;
  close(): Promise<void>;
}

/**
 * Serves the dashboard and the inspector beside the emulator: on the port after the emulator's, or a free one. The
 * inspector alone where the stack shows nothing live.
 */
export async function serveLive(outputs: LiveOutputs, emulator: Emulator): Promise<LivePages> {
  const { deadLetterQueues } = outputs;
  const { endpoint, port } = emulator;
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
  const status = async () => {
    const counts = await Promise.all(deadLetterQueues.map(waiting));
    return { deadLetters: counts.reduce((sum, count) => sum + count, 0) };
  };
  const inspector = inspectorSite({ ...outputs, emulator });
  const first = ({ liveUrl: wsUrl, liveToken: token = "" }: Pick<LiveOutputs, "liveUrl" | "liveToken">): Site =>
    wsUrl ? dashboardSite({ wsUrl, token, status, inspectorUrl: "/inspector/" }) : inspector;
  const sites: Record<string, Site> = { "/": first(outputs), "/inspector/": inspector };
  const serve = async (): Promise<ServedPages> => {
    try {
      return await servePages(port + 1, sites);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      return servePages(0, sites);
    }
  };
  const { url, close } = await serve();
  return {
    ...(outputs.liveUrl && { dashboardUrl: url }),
    inspectorUrl: `${url}inspector/`,
    show(next) {
      sites["/"] = first(next);
      inspector.show(next.resources);
    },
    async close() {
      await close();
      inspector.close();
      sqs.destroy();
    },
  };
}
