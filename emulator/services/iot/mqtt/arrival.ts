import type { StepFacts } from "../../../core/journal/entry";
import type { Region } from "../state";

/** What a device publishes begins a story of its own in the journal, whatever goes on when it comes in. */
export const deviceMessage = (region: Region, topic: string, clientId?: string): StepFacts => ({
  ...{ kind: "message", service: "iot", operation: `PUBLISH ${topic}`, resources: [region.arn(`topic/${topic}`)] },
  ...(clientId !== undefined && { caller: region.arn(`client/${clientId}`) }),
  causes: [],
});
