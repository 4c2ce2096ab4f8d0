import { formatArn } from "../arn";
import type { Ports } from "../bus";
import type { Scope } from "../service";
import type { StreamReader } from "../stream-reader";
import { ConnectionDropped } from "./call";
import type { Faults } from "./faults";
import type { Place } from "./place";
import { usualError } from "./service-errors";

/** Services know no connections: to one that calls another, a cut connection is a failure of that service. */
function asServiceError(error: unknown, place: Place): never {
  throw error instanceof ConnectionDropped ? usualError("failure", place) : error;
}

/** A method that is a call of an operation: it fails as faults have it. */
export const failing =
  <Args extends unknown[], Output>(
    faults: Faults,
    method: (...args: Args) => Promise<Output>,
    placeOf: (...args: Args) => Place,
  ) =>
  (...args: Args): Promise<Output> => {
    if (!faults.active) return method(...args);
    const place = placeOf(...args);
    const faulty = faults.call(place);
    if (!faulty) return method(...args);
    return faulty.run(() => method(...args)).catch((error) => asServiceError(error, place));
  };

/** The same for one whose answer nobody waits for: it cannot be slow. */
const failingAtOnce =
  <Args extends unknown[], Output>(
    faults: Faults,
    method: (...args: Args) => Output,
    placeOf: (...args: Args) => Place,
  ) =>
  (...args: Args): Output => {
    if (!faults.active) return method(...args);
    const place = placeOf(...args);
    const faulty = faults.callAtOnce(place);
    if (!faulty) return method(...args);
    try {
      return faulty.runAtOnce(() => method(...args));
    } catch (error) {
      return asServiceError(error, place);
    }
  };

const at = (service: string, operation: string, resource: string): Place => ({
  service,
  operation,
  resources: [resource],
});

/** A place by the ARN that a method begins with. */
const atArn = (service: string, operation: string) => (arn: string) => at(service, operation, arn);

/** A place by the name of something in an account and region. */
const named = (service: string, operation: string, { account, region }: Scope, name: string): Place =>
  at(service, operation, formatArn(service, region, account, name));

const onTable = (operation: string) => (scope: Scope, table: string) =>
  named("dynamodb", operation, scope, `table/${table}`);

const onObject = (operation: string) => (bucket: string, key: string) =>
  at("s3", operation, `arn:aws:s3:::${bucket}/${key}`);

type Wrap<Port> = (port: Port, faults: Faults) => Port;

/**
 * The ports whose methods are calls of operations on AWS. The others are looked up by services for themselves, or are
 * what the operations of another API are made of.
 */
const wraps: { readonly [Name in keyof Ports]?: Wrap<Ports[Name]> } = {
  lambda: (port, faults) => ({
    ...port,
    invoke: failing(faults, port.invoke, atArn("lambda", "Invoke")),
    invokeAsync: failing(faults, port.invokeAsync, atArn("lambda", "Invoke")),
  }),
  sqs: (port, faults) => ({
    ...port,
    send: failing(faults, port.send, atArn("sqs", "SendMessage")),
    receive: failing(faults, port.receive, atArn("sqs", "ReceiveMessage")),
    delete: failing(faults, port.delete, atArn("sqs", "DeleteMessageBatch")),
    changeVisibility: failing(faults, port.changeVisibility, atArn("sqs", "ChangeMessageVisibilityBatch")),
  }),
  sns: (port, faults) => ({ ...port, publish: failing(faults, port.publish, atArn("sns", "Publish")) }),
  dynamodb: (port, faults) => ({
    getItem: failing(faults, port.getItem, onTable("GetItem")),
    putItem: failing(faults, port.putItem, onTable("PutItem")),
    updateItem: failing(faults, port.updateItem, onTable("UpdateItem")),
    deleteItem: failing(faults, port.deleteItem, onTable("DeleteItem")),
  }),
  kinesis: (port, faults) => ({
    ...port,
    putRecord: failing(faults, port.putRecord, atArn("kinesis", "PutRecord")),
  }),
  timestream: (port, faults) => ({
    ...port,
    writeRecords: failingAtOnce(faults, port.writeRecords, (scope, { DatabaseName, TableName }) =>
      named("timestream", "WriteRecords", scope, `database/${DatabaseName}/table/${TableName}`),
    ),
  }),
  s3: (port, faults) => ({
    getObject: failing(faults, port.getObject, onObject("GetObject")),
    putObject: failing(faults, port.putObject, onObject("PutObject")),
  }),
  logs: (port, faults) => ({
    ...port,
    write: failingAtOnce(faults, port.write, (scope, group, stream) =>
      named("logs", "PutLogEvents", scope, `log-group:${group}:log-stream:${stream}`),
    ),
  }),
  events: (port, faults) => ({
    put: failingAtOnce(faults, port.put, (scope) => named("events", "PutEvents", scope, "event-bus/default")),
  }),
};

/** Puts a port where it can fail. */
function put<Name extends keyof Ports>(into: Partial<Ports>, name: Name, port: Ports[Name], faults: Faults): void {
  into[name] = wraps[name]?.(port, faults) ?? port;
}

/** What a service offers to others, so that calls through it can fail. */
export function faultyPorts(ports: Partial<Ports>, faults: Faults): Partial<Ports> {
  const wrapped: Partial<Ports> = {};
  for (const name of Object.keys(ports) as (keyof Ports)[]) {
    const port = ports[name];
    if (port) put(wrapped, name, port, faults);
  }
  return wrapped;
}

/** A stream as one reads it whose reads can fail. */
export const faultyReader = <Detail>(
  reader: StreamReader<Detail>,
  faults: Faults,
  place: Place,
): StreamReader<Detail> => ({ ...reader, read: failingAtOnce(faults, reader.read, () => place) });
