import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { fileCursor } from "../handlers/flespi/cursor-file";
import { tableCursor } from "../handlers/flespi/cursor-table";
import {
  API_URL,
  CHANNEL_ID,
  FLESPI_URL,
  LIMIT_COUNT,
  LIMIT_SIZE,
  TOKEN,
  WAIT_SECONDS,
} from "../handlers/flespi/forms";
import type { MakeHandler } from "../handlers/flespi/handler";
import { toIoT } from "../handlers/flespi/handler-iot";
import { toMqtt } from "../handlers/flespi/handler-mqtt";
import { toQueue } from "../handlers/flespi/handler-queue";
import { toStdout } from "../handlers/flespi/handler-stdout";
import { queueLetters } from "../handlers/flespi/letters";
import { fileLetters } from "../handlers/flespi/letters-file";
import type { ReceiverParts } from "../handlers/flespi/receive";
import { DEFAULT_TOPIC, problemOfTemplate } from "../handlers/flespi/topic";
import { once } from "../handlers/retry";
import { UsageError } from "./arguments";

export const flespiUsage = `sensorcast flespi --channel <id> [options]

Receives the messages of a flespi channel, until Ctrl-C. The token comes in the variable FLESPI_TOKEN.

Where messages go; several may be given, and each gets every message:
  --stdout                 Prints each as a line of JSON. Default, when nothing else is given.
  --queue <url>            Sends each to an SQS queue.
  --iot                    Publishes each to AWS IoT Core, over HTTPS with AWS credentials.
  --mqtt <endpoint>        Publishes each to AWS IoT Core by MQTT, with --cert and --key.
  --handler <module>       Hands them to a handler of your own: a CommonJS or ES module whose default export makes one.
  --topic <template>       The topic of --iot and --mqtt. Default \${ident}, for instance 'flespi/\${ident}'.

How it connects by MQTT:
  --cert <file>            The device's certificate, PEM.
  --key <file>             Its private key, PEM.
  --ca <file>              The certificate authority, PEM. Default those that Node trusts.
  --client-id <id>         Default another one for each process.

What it keeps:
  --table <name>           The DynamoDB table of the cursor, with the key channel (S): several processes take turns.
  --cursor <file>          The file of the cursor, without a table. Default flespi-<channel>.cursor.json.
  --dead-letter-queue <url>  The SQS queue for messages that can never be handled.
  --dead-letters <file>    The file for them, without a queue. Default flespi-<channel>.dead-letters.ndjson.

How it fetches:
  --url <url>              flespi's API. Default https://flespi.io
  --limit-count <n>        Most messages of one request, 2 to 10000. Default 1000.
  --limit-size <n>         Most bytes of one request, 1000 to 10000000. Default 1000000.
  --wait <seconds>         How long flespi waits for a message, 0 to 60. Default 30.
  --once                   Ends when the channel is drained.`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const flespiOptions = {
  ...{ channel: text, stdout: flag, queue: text, iot: flag, mqtt: text, handler: text, topic: text },
  ...{ cert: text, key: text, ca: text, "client-id": text },
  ...{ table: text, cursor: text, "dead-letter-queue": text, "dead-letters": text },
  ...{ url: text, "limit-count": text, "limit-size": text, wait: text, once: flag },
};

export type FlespiOptions = {
  [Name in keyof typeof flespiOptions]?: (typeof flespiOptions)[Name] extends typeof flag ? boolean : string;
};

interface Range {
  readonly min: number;
  readonly max: number;
  readonly use: number;
}

/** All that a receiver needs, and how long it waits for messages. */
export interface FlespiCommand {
  readonly parts: ReceiverParts;
  readonly waitSeconds: number;
  readonly once: boolean;
}

/**
 * Makes a receiver of what the command line says.
 *
 * @throws UsageError with all that is wrong with it
 */
export async function readFlespiCommand(
  options: FlespiOptions,
  environment: NodeJS.ProcessEnv,
): Promise<FlespiCommand> {
  const problems: string[] = [];
  const whole = (name: "limit-count" | "limit-size" | "wait", { min, max, use }: Range) => {
    const given = options[name];
    const number = given === undefined ? use : Number(given);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    problems.push(`--${name} must be a whole number from ${min} to ${max}, not ${given}`);
    return use;
  };
  const { channel: channelId = "", topic = DEFAULT_TOPIC, url = FLESPI_URL } = options;
  const token = environment.FLESPI_TOKEN ?? "";
  if (!CHANNEL_ID.test(channelId)) problems.push("--channel must be the channel's number, such as 429");
  if (!TOKEN.test(token)) problems.push("the variable FLESPI_TOKEN must hold a flespi token");
  if (!API_URL.test(url)) {
    problems.push("--url must be an https:// address without a path: a token does not travel in clear text");
  }
  for (const name of ["queue", "dead-letter-queue"] as const) {
    const given = options[name];
    if (given !== undefined && !/^https?:\/\/\S+\/\d{12}\/\S+$/.test(given)) {
      problems.push(`--${name} must be the URL of an SQS queue, not ${given}`);
    }
  }
  const badTopic = problemOfTemplate(topic);
  if (badTopic !== undefined) problems.push(`--topic must be a topic of AWS IoT (${badTopic})`);
  const limitCount = whole("limit-count", LIMIT_COUNT);
  const limitSize = whole("limit-size", LIMIT_SIZE);
  const waitSeconds = whole("wait", { ...WAIT_SECONDS, use: 30 });
  const factories = await readHandlers(options, topic, problems);
  if (problems.length > 0) throw new UsageError(`${problems.join("\n")}\n\nsensorcast flespi --help tells more.`);

  const sqs = once(() => new SQSClient({}));
  const { table, "dead-letter-queue": queue } = options;
  const cursorFile = options.cursor ?? `flespi-${channelId}.cursor.json`;
  const lettersFile = options["dead-letters"] ?? `flespi-${channelId}.dead-letters.ndjson`;
  return {
    ...{ waitSeconds, once: options.once === true },
    parts: {
      channel: { channelId, token, url, limitCount, limitSize },
      cursor: table
        ? tableCursor(
            once(() => new DynamoDBClient({})),
            table,
            channelId,
          )
        : fileCursor(cursorFile, channelId),
      deadLetters: queue ? queueLetters(sqs, queue) : fileLetters(lettersFile),
      handlers: factories.map((make) => make()),
    },
  };
}

async function readHandlers(options: FlespiOptions, topic: string, problems: string[]): Promise<MakeHandler[]> {
  const { stdout, queue, iot, mqtt, handler } = options;
  const factories: MakeHandler[] = [];
  if (stdout || !(queue || iot || mqtt || handler)) factories.push(toStdout);
  if (queue) factories.push(toQueue(queue));
  if (iot) factories.push(toIoT(topic));
  if (mqtt) {
    const [cert, key, ca] = (["cert", "key", "ca"] as const).map((name) => readFile(name, options[name], problems));
    for (const name of ["cert", "key"] as const) {
      if (options[name] === undefined) problems.push(`--${name} must be given with --mqtt: the name of a PEM file`);
    }
    const clientId = options["client-id"];
    factories.push(toMqtt(topic, { endpoint: mqtt, cert: cert ?? "", key: key ?? "", ca, clientId }));
  }
  if (handler) {
    const made = await loadHandler(handler);
    if (typeof made === "string") problems.push(made);
    else factories.push(made);
  }
  return factories;
}

function readFile(option: string, path: string | undefined, problems: string[]): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`--${option} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}

/** A factory of somebody's own, or why there is none. */
async function loadHandler(module: string): Promise<MakeHandler | string> {
  try {
    // Node 24 loads ES modules this way, too.
    const loaded = require(resolve(module)) as { default?: unknown };
    const factory = typeof loaded === "function" ? loaded : loaded.default;
    if (typeof factory === "function") return factory as MakeHandler;
    return `--handler ${module} must export a function that makes a handler, as its default`;
  } catch (error) {
    return `--handler ${module} cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
  }
}
