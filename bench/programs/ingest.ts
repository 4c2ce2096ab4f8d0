import { ThingseeIngest } from "../../components";

/** The ingest by itself, without the live broadcast that the stack in index.ts hangs behind it. */
const throttle = { rateLimit: 10_000, burstLimit: 5_000 };
const ingest = new ThingseeIngest("ingest", { auth: { apiKeys: [{ name: "bench", throttle }] } });

export const url = ingest.url;
export const apiKey = ingest.apiKey;
