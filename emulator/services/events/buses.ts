import type { EventBus as ApiBus } from "@aws-sdk/client-eventbridge";
import { notEmulated } from "../../core/errors";
import { limits } from "../../core/limits";
import type { Host } from "../../core/service";
import { addTags, busName, busReference, check, page } from "./checks";
import { busExists, invalid, invalidParameter, tooMany } from "./errors";
import { policyOf } from "./policies";
import type { EventBus, EventsOperations, Store } from "./store";

/** Event buses of an account in a region (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const mostBuses = limits.events.buses.value;

const listed = (bus: EventBus): ApiBus => ({
  Name: bus.name,
  Arn: bus.arn,
  Description: bus.description,
  Policy: policyOf(bus),
  CreationTime: new Date(bus.created),
  LastModifiedTime: new Date(bus.modified),
});

const settings = (bus: EventBus) => ({
  Description: bus.description,
  KmsKeyIdentifier: bus.kmsKeyIdentifier,
  DeadLetterConfig: bus.deadLetterConfig,
  LogConfig: bus.logConfig,
});

/** Event buses. Keys, logs and dead-letter queues of buses are kept, and without effect. */
export const busOperations = (host: Host, store: Store): EventsOperations => ({
  CreateEventBus(input, context) {
    const description = { length: [0, 512] } as const;
    check({ name: [input.Name, { ...busName, required: true }], description: [input.Description, description] });
    const { Name = "" } = input;
    if (input.EventSourceName !== undefined) throw notEmulated("events", "CreateEventBus", "partner event sources");
    if (Name.includes("/")) throw invalidParameter("Name", "the name of a custom event bus has no slash.");
    const buses = store.of(context);
    if (buses.has(Name)) throw busExists(Name);
    if (buses.size >= mostBuses) throw tooMany();
    const bus = store.makeBus(context, Name);
    addTags(bus.tags, input.Tags);
    bus.description = input.Description;
    bus.kmsKeyIdentifier = input.KmsKeyIdentifier;
    bus.deadLetterConfig = input.DeadLetterConfig;
    bus.logConfig = input.LogConfig;
    buses.set(Name, bus);
    return { EventBusArn: bus.arn, ...settings(bus) };
  },

  UpdateEventBus(input, context) {
    check({ name: [input.Name, busName], description: [input.Description, { length: [0, 512] }] });
    const bus = store.bus(input.Name, context);
    if (input.Description !== undefined) bus.description = input.Description;
    if (input.KmsKeyIdentifier !== undefined) bus.kmsKeyIdentifier = input.KmsKeyIdentifier || undefined;
    if (input.DeadLetterConfig !== undefined) bus.deadLetterConfig = input.DeadLetterConfig;
    if (input.LogConfig !== undefined) bus.logConfig = input.LogConfig;
    bus.modified = host.clock.now();
    return { Arn: bus.arn, Name: bus.name, ...settings(bus) };
  },

  DescribeEventBus(input, context) {
    check({ name: [input.Name, busReference] });
    const bus = store.bus(input.Name, context);
    return { ...listed(bus), ...settings(bus) };
  },

  ListEventBuses(input, context) {
    check({ namePrefix: [input.NamePrefix, busName] });
    const { NamePrefix = "" } = input;
    const found = [...store.of(context).values()].filter(({ name }) => name.startsWith(NamePrefix));
    const { items, NextToken } = page(found, ({ name }) => name, input);
    return { EventBuses: items.map(listed), NextToken };
  },

  DeleteEventBus(input, context) {
    check({ name: [input.Name, { ...busName, required: true }] });
    if (input.Name === "default") throw invalid("Cannot delete event bus default.");
    const buses = store.of(context);
    if (buses.get(input.Name!)?.rules.size) throw invalid("Event bus can't be deleted since it has rules.");
    buses.delete(input.Name!);
    return {};
  },
});
