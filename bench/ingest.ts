import { type Deployment, deploy } from "../deploy";
import { benchDevice } from "./iot";
import { type Measured, measure } from "./load";
import type { Figure, Row } from "./report";
import type { Started } from "./servers";

const message = (index: number) => ({
  tsmId: 12100,
  tsmEv: 10,
  tsmTs: 1520416221 + index,
  tsmTuid: `TSPR04E2O902${index % 40}`,
  tsmGw: "TSGW01ABC123456",
  temp: 21.3,
  humd: 45.2,
});

const batch = (from: number, count: number) =>
  JSON.stringify(Array.from({ length: count }, (_, index) => message(from + index)));

/** Deploys the stack onto the emulator, without the usage plan's throttle in the way of the measurement. */
export async function deployStack(
  emulator: Pick<Started, "url">,
  program: string,
): Promise<{ deployment: Deployment; seconds: number }> {
  const started = performance.now();
  const config = { rateLimit: 10_000, burstLimit: 5_000, devices: [benchDevice] };
  const deployment = await deploy({ program, stack: "bench", endpoint: emulator.url, config });
  return { deployment, seconds: (performance.now() - started) / 1000 };
}

/** POSTs through API Gateway, Lambda and DynamoDB, beside the two baselines in the same run. */
export async function ingest(
  url: string,
  apiKey: string,
  constant: Started,
  sdk: Started,
): Promise<{ rows: Row[]; figures: Figure[] }> {
  const headers = { "content-type": "application/json", "x-api-key": apiKey };
  const rows: Row[] = [];
  const figures: Figure[] = [];
  for (const connections of [1, 50]) {
    const load = { headers, connections, amount: connections === 1 ? 3_000 : 10_000 };
    const body = Array.from({ length: 500 }, (_, index) => batch(index, 1));
    const baselines: Record<string, Measured> = {
      constant: await measure({ ...load, body, url: constant.url }),
      sdk: await measure({ ...load, body, url: sdk.url }),
    };
    const measured = await measure({ ...load, body, url });
    const ratio = (name: string) => measured.requestsPerSecond / baselines[name]!.requestsPerSecond;
    rows.push({
      name: `POST of 1, ${connections} connection${connections > 1 ? "s" : ""}`,
      measured,
      ratios: { constant: ratio("constant"), sdk: ratio("sdk") },
    });
    figures.push({
      name: `POST of 1 / same SDK call, ${connections} connection${connections > 1 ? "s" : ""}`,
      value: ratio("sdk"),
      unit: "",
      promise: { atLeast: 0.5 },
    });
  }
  const large = { headers, connections: 4, amount: 200, body: [0, 1, 2, 3].map((part) => batch(part * 1000, 1000)) };
  const baseline = await measure({ ...large, url: constant.url });
  const measured = await measure({ ...large, url });
  rows.push({
    name: "POST of 1,000, 4 connections",
    measured,
    messages: 1000,
    ratios: { constant: measured.requestsPerSecond / baseline.requestsPerSecond },
  });
  return { rows, figures };
}

/** AWS calls that one POST of 1,000 messages makes. */
export async function callsPerThousand(url: string, apiKey: string, emulator: Started): Promise<Figure[]> {
  const calls = await emulator.count(async () => {
    const headers = { "content-type": "application/json", "x-api-key": apiKey };
    const response = await fetch(url, { method: "POST", headers, body: batch(1_000_000, 1000) });
    if (response.status !== 200) throw new Error(`POST of 1,000 messages: ${response.status} ${await response.text()}`);
  });
  return Object.entries(calls)
    .filter(([name]) => !name.startsWith("execute-api"))
    .map(([name, value]) => ({
      name: `${name} for 1,000 messages`,
      value,
      unit: "calls",
      ...(name === "dynamodb:BatchWriteItem" && { promise: { atMost: 40 } }),
    }));
}
