import { formatArn } from "../arn";
import type { Ports } from "../bus";
import type { Scope } from "../service";
import type { PortCaller } from "../service-caller";
import type { StepFacts } from "./entry";
import type { Journal } from "./journal";

/** What a service does for another one, as the call that a client would make of it. */
const delivery = (service: string, operation: string, resource: string, by?: PortCaller): StepFacts => ({
  kind: "delivery",
  service,
  operation,
  resources: by && "sourceArn" in by ? [resource, by.sourceArn] : [resource],
  ...(by && { caller: "principal" in by ? by.principal : by.arn }),
});

const tableArn = ({ region, account }: Scope, table: string) =>
  formatArn("dynamodb", region, account, `table/${table}`);

/** The ports by which services send and write; what they only read of each other is no step. */
const recorders: { readonly [Name in keyof Ports]?: (port: Ports[Name], journal: Journal) => Ports[Name] } = {
  lambda: (port, journal) => ({
    ...port,
    invokeAsync: (arn, payload, by) =>
      journal.step(
        () => delivery("lambda", "InvokeAsync", arn, by),
        () => port.invokeAsync(arn, payload, by),
      ),
  }),
  sqs: (port, journal) => ({
    ...port,
    send: (arn, message, by) =>
      journal.step(
        () => delivery("sqs", "SendMessage", arn, by),
        () => port.send(arn, message, by),
      ),
  }),
  sns: (port, journal) => ({
    ...port,
    publish: (arn, message, by) =>
      journal.step(
        () => delivery("sns", "Publish", arn, by),
        () => port.publish(arn, message, by),
      ),
  }),
  kinesis: (port, journal) => ({
    ...port,
    putRecord: (arn, record, by) =>
      journal.step(
        () => delivery("kinesis", "PutRecord", arn, by),
        () => port.putRecord(arn, record, by),
      ),
  }),
  dynamodb: (port, journal) => ({
    ...port,
    putItem: (scope, table, item, by) =>
      journal.step(
        () => delivery("dynamodb", "PutItem", tableArn(scope, table), by),
        () => port.putItem(scope, table, item, by),
      ),
    updateItem: (scope, table, key, values, by) =>
      journal.step(
        () => delivery("dynamodb", "UpdateItem", tableArn(scope, table), by),
        () => port.updateItem(scope, table, key, values, by),
      ),
    deleteItem: (scope, table, key, by) =>
      journal.step(
        () => delivery("dynamodb", "DeleteItem", tableArn(scope, table), by),
        () => port.deleteItem(scope, table, key, by),
      ),
  }),
  timestream: (port, journal) => ({
    ...port,
    writeRecords: (scope, request, by) =>
      journal.step(
        () => delivery("timestream", "WriteRecords", timestreamTable(scope, request), by),
        () => port.writeRecords(scope, request, by),
      ),
  }),
  s3: (port, journal) => ({
    ...port,
    putObject: (bucket, key, body, options) =>
      journal.step(
        () => delivery("s3", "PutObject", `arn:aws:s3:::${bucket}/${key}`, options?.by),
        () => port.putObject(bucket, key, body, options),
      ),
  }),
  events: (port, journal) => ({
    ...port,
    put: (scope, event) =>
      journal.step(
        () => delivery("events", "PutEvents", formatArn("events", scope.region, scope.account, "event-bus/default")),
        () => port.put(scope, event),
      ),
  }),
  iot: (port, journal) => ({
    ...port,
    publish: (scope, message) =>
      journal.step(
        () => delivery("iotdata", "Publish", formatArn("iot", scope.region, scope.account, `topic/${message.topic}`)),
        () => port.publish(scope, message),
      ),
  }),
};

const timestreamTable = (
  { region, account }: Scope,
  { DatabaseName, TableName }: { DatabaseName?: string; TableName?: string },
) => formatArn("timestream", region, account, `database/${DatabaseName}/table/${TableName}`);

/** Puts a port where what it sends and writes are steps. */
function put<Name extends keyof Ports>(into: Partial<Ports>, name: Name, port: Ports[Name], journal: Journal): void {
  into[name] = recorders[name]?.(port, journal) ?? port;
}

/** What a service offers to others, with what they send and write told to the journal. */
export function recordedPorts(ports: Partial<Ports>, journal: Journal): Partial<Ports> {
  const recorded: Partial<Ports> = {};
  for (const name of Object.keys(ports) as (keyof Ports)[]) {
    const port = ports[name];
    if (port) put(recorded, name, port, journal);
  }
  return recorded;
}
