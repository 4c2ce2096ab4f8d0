import type { JournalEntry } from "../../emulator";
import { type Names, serviceName } from "./names";

/** What a step did, and where: the two columns of a timeline. */
export interface Words {
  readonly what: string;
  readonly where: string;
  /** The same for several of a kind that differ in where they were. @default they do not differ */
  readonly everywhere?: string;
}

const join = (...parts: readonly (string | undefined)[]) => parts.filter((part) => part).join(" · ");

const counted = (count: number, one: string) => (count === 1 ? `1 ${one}` : `${count} ${one}s`);

/** `s3.amazonaws.com` as "S3"; nothing where the caller is no service. */
const senderOf = (caller: string | undefined) => {
  const principal = /^([\w-]+)(\.[\w-]+)?\.amazonaws\.com$/.exec(caller ?? "")?.[1];
  return principal === undefined ? undefined : serviceName(principal);
};

/** A connection's id as API Gateway writes it, out of a path. */
function connectionOf(path: string): string | undefined {
  const id = /\/(?:@|%40)connections\/([^/]+)$/i.exec(path)?.[1];
  try {
    return id && decodeURIComponent(id);
  } catch {
    return id;
  }
}

function request({ service, operation }: JournalEntry): Words {
  const connection = connectionOf(operation);
  if (connection !== undefined) {
    const verb = operation.startsWith("POST") ? "To the browser" : operation.replace(/ .*/, " the connection");
    return { what: verb, where: join("WebSocket", connection), everywhere: "WebSocket" };
  }
  const isHandshake = operation.startsWith("CONNECT ");
  return { what: operation, where: isHandshake && service === "execute-api" ? "WebSocket API" : serviceName(service) };
}

function message({ service, operation, caller }: JournalEntry, names: Names): Words {
  if (service === "iot") return { what: operation, where: join("MQTT", caller?.split("/").at(-1)) };
  const what = operation === "$disconnect" ? "The connection ends" : "A message of a browser";
  return { what, where: join("WebSocket", caller && names.of(caller)) };
}

const carried: Readonly<Record<string, string>> = { sqs: "message", kinesis: "record", dynamodb: "change" };

/** Says in a few words what a step did and where. */
export function describe(entry: JournalEntry, names: Names): Words {
  const { kind, service, operation, resources, caller, count = 1 } = entry;
  const [first = "", second = ""] = resources.map((arn) => names.of(arn));
  switch (kind) {
    case "request":
      return request(entry);
    case "message":
      return message(entry, names);
    case "invocation":
      return { what: first, where: "Lambda function" };
    case "batch":
      return { what: first, where: join(serviceName(service), counted(count, carried[service] ?? "record")) };
    case "delivery": {
      const sender = senderOf(caller);
      const way = sender === undefined ? serviceName(service) : `${sender} → ${serviceName(service)}`;
      return { what: operation, where: join(way, first) };
    }
    case "rule":
      return { what: first, where: service === "events" ? "EventBridge schedule" : "AWS IoT rule" };
    case "move":
      return { what: operation === "Redrive" ? "Back to its queue" : "To the dead letters", where: join("SQS", first) };
    default:
      // An object's call wants its bucket, too.
      return { what: operation, where: join(serviceName(service), first, first.startsWith(second) ? "" : second) };
  }
}
