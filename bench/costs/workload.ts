import type { Priced } from "./prices";

/** So many units of what is charged for. */
export type Use = Partial<Record<Priced, number>>;

export interface Part {
  component: string;
  /** What was taken for granted. */
  assumed: string;
  /** In a month of 730 hours in which nothing happens. */
  idle: Use;
  /** A million messages. */
  million: Use;
}

const million = 1e6;
const monthHours = 730;

/**
 * Lambda keeps five long polls of 20 seconds going for each queue that triggers a function.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const polling = (queues: number): Use => ({ queueRequest: (queues * 5 * monthHours * 3600) / 20 });

/** Runs of a function with so much memory, each of so many milliseconds, with its three lines of log. */
const runs = (count: number, megabytes: number, milliseconds: number): Use => ({
  lambdaRequest: count,
  lambdaGBSecond: (count * megabytes * milliseconds) / 1024 / 1000,
  logGB: (count * 500) / 1e9,
});

/** An access log line for each request. */
const accessLog = (requests: number): Use => ({ logGB: (requests * 400) / 1e9 });

/** The units of several uses together. */
export function together(...uses: readonly Use[]): Use {
  const sum: Use = {};
  for (const use of uses) {
    for (const [name, count] of Object.entries(use) as [Priced, number][]) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

const viewers = 10;

/** What index.ts creates with its default settings. */
export const parts: readonly Part[] = [
  {
    component: "ThingseeIngest",
    assumed: "one message a request, 1 KB, 40 ms at 512 MB, forwarded to the broadcast queue",
    idle: {},
    million: together(
      { restRequest: million, tableWrite: million, queueRequest: million },
      accessLog(million),
      runs(million, 512, 40),
    ),
  },
  {
    component: "WebSocketBroadcast",
    assumed: `${viewers} viewers all month, ten records a batch, 60 ms at 512 MB`,
    idle: together(polling(2), { connectionMinute: viewers * monthHours * 60 }),
    million: together(
      { queueRequest: (2 * million) / 10, webSocketMessage: (viewers * million) / 10, tableRead: million / 10 },
      runs(million / 10, 512, 60),
    ),
  },
  {
    component: "Postbox",
    assumed: "bodies of up to 64 KB, ten a batch, 100 ms at 1024 MB, each sender's authorization from the cache",
    idle: polling(1),
    million: together(
      { restRequest: million, objectPut: 2 * million, queueRequest: (6 * million) / 10 },
      accessLog(million),
      runs(million / 10, 1024, 100),
    ),
  },
  {
    component: "IoTStream",
    assumed: "1 KB, a hundred records a batch, 200 ms at 512 MB, into DynamoDB and the broadcast queue",
    idle: { streamHour: monthHours },
    million: together(
      { iotMessage: million, iotRule: 2 * million, streamGBIn: 1, streamGBOut: 1 },
      { tableWrite: million, queueRequest: million / 100 },
      runs(million / 100, 512, 200),
    ),
  },
];
