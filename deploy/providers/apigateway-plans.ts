import type { PatchOperation } from "@aws-sdk/client-api-gateway";
import type {
  ApiKey,
  ApiKeyArgs,
  UsagePlan,
  UsagePlanArgs,
  UsagePlanKey,
  UsagePlanKeyArgs,
} from "@pulumi/aws/apigateway";
import { same, toWire } from "../values";
import { replaceChanged } from "./patches";
import { tagMap } from "./tags";
import { type PlainArgs, resourceType } from "./types";
import { unlessGone } from "./wait";

const arn = (region: string, kind: string, id: string) => `arn:aws:apigateway:${region}::/${kind}/${id}`;

const apiKey = resourceType<ApiKeyArgs, ApiKey>({
  autoname: { property: "name", max: 1024 },
  replaceOn: ["value"],
  secretOutputs: ["value"],
  async create(args, { clients, region, tags }) {
    const made = await clients.apiGateway.createApiKey({
      name: args.name,
      value: args.value,
      // The provider's own words, which many a stack relies on to find its keys.
      description: args.description ?? "Managed by Pulumi",
      enabled: args.enabled ?? true,
      customerId: args.customerId,
      tags: tagMap(tags(args.tags)),
    });
    return {
      id: made.id ?? "",
      outputs: {
        value: made.value,
        arn: arn(region, "apikeys", made.id ?? ""),
        createdDate: made.createdDate?.toISOString(),
        lastUpdatedDate: made.lastUpdatedDate?.toISOString(),
      },
    };
  },
  async read(id, { clients, region }) {
    const found = await unlessGone(clients.apiGateway.getApiKey({ apiKey: id, includeValue: true }));
    return found && { value: found.value, name: found.name, arn: arn(region, "apikeys", id) };
  },
  async update(id, args, old, { clients }) {
    const { inputs: before } = old;
    await clients.apiGateway.updateApiKey({
      apiKey: id,
      patchOperations: replaceChanged([
        ["/name", before.name, args.name],
        ["/description", before.description, args.description],
        ["/enabled", before.enabled ?? true, args.enabled ?? true],
        ["/customerId", before.customerId, args.customerId],
      ]),
    });
    return old.outputs;
  },
  async delete(id, _known, { clients }) {
    await clients.apiGateway.deleteApiKey({ apiKey: id });
  },
});

type PlanArgs = PlainArgs<UsagePlanArgs>;

const stages = (args: PlanArgs) =>
  new Map((args.apiStages ?? []).map((entry) => [`${entry.apiId}:${entry.stage}`, entry]));

const throttles = (entry: NonNullable<PlanArgs["apiStages"]>[number]) =>
  entry.throttles && Object.fromEntries(entry.throttles.map(({ path, ...limits }) => [path, limits]));

/** The stages of a plan are added and removed as a whole, throttles of single methods with them. */
function stagePatches(args: PlanArgs, before: PlanArgs): PatchOperation[] {
  const now = stages(args);
  const was = stages(before);
  const changed = (key: string) => !same(toWire(was.get(key)), toWire(now.get(key)));
  return [
    ...[...was.keys()].filter(changed).map((value) => ({ op: "remove" as const, path: "/apiStages", value })),
    ...[...now]
      .filter(([key]) => changed(key))
      .flatMap(([value, entry]) => [
        { op: "add" as const, path: "/apiStages", value },
        ...(entry.throttles ?? []).flatMap(({ path, rateLimit, burstLimit }) => [
          {
            op: "replace" as const,
            path: `/apiStages/${value}/throttle${path}/rateLimit`,
            value: String(rateLimit ?? 0),
          },
          {
            op: "replace" as const,
            path: `/apiStages/${value}/throttle${path}/burstLimit`,
            value: String(burstLimit ?? 0),
          },
        ]),
      ]),
  ];
}

/** A group of limits is replaced member by member, and removed as a whole. */
const limitPatches = (path: string, before: object | undefined, now: object | undefined): PatchOperation[] => {
  if (!now) return before ? [{ op: "remove", path }] : [];
  const was = (before ?? {}) as Record<string, unknown>;
  return replaceChanged(Object.entries(now).map(([name, value]) => [`${path}/${name}`, was[name], value]));
};

const usagePlan = resourceType<UsagePlanArgs, UsagePlan>({
  autoname: { property: "name", max: 255 },
  async create(args, { clients, region, tags }) {
    const { id = "" } = await clients.apiGateway.createUsagePlan({
      name: args.name,
      description: args.description,
      apiStages: args.apiStages?.map((entry) => ({
        apiId: entry.apiId,
        stage: entry.stage,
        throttle: throttles(entry),
      })),
      quota: args.quotaSettings && { ...args.quotaSettings, period: args.quotaSettings.period as "DAY" },
      throttle: args.throttleSettings,
      tags: tagMap(tags(args.tags)),
    });
    if (args.productCode) {
      const patchOperations = [{ op: "replace" as const, path: "/productCode", value: args.productCode }];
      await clients.apiGateway.updateUsagePlan({ usagePlanId: id, patchOperations });
    }
    return { id, outputs: { arn: arn(region, "usageplans", id) } };
  },
  async read(id, { clients, region }) {
    const found = await unlessGone(clients.apiGateway.getUsagePlan({ usagePlanId: id }));
    return found && { name: found.name, arn: arn(region, "usageplans", id) };
  },
  async update(id, args, { inputs: before }, { clients }) {
    const patchOperations = [
      ...replaceChanged([
        ["/name", before.name, args.name],
        ["/description", before.description, args.description],
        ["/productCode", before.productCode, args.productCode],
      ]),
      ...stagePatches(args, before),
      ...limitPatches("/throttle", before.throttleSettings, args.throttleSettings),
      ...limitPatches("/quota", before.quotaSettings, args.quotaSettings),
    ];
    if (patchOperations.length > 0) await clients.apiGateway.updateUsagePlan({ usagePlanId: id, patchOperations });
  },
  async delete(id, { inputs }, { clients }) {
    // AWS refuses to delete a plan that still has stages.
    const patchOperations = stagePatches({}, inputs);
    if (patchOperations.length > 0) {
      await unlessGone(clients.apiGateway.updateUsagePlan({ usagePlanId: id, patchOperations }));
    }
    await clients.apiGateway.deleteUsagePlan({ usagePlanId: id });
  },
});

const usagePlanKey = resourceType<UsagePlanKeyArgs, UsagePlanKey>({
  deleteBeforeReplace: true,
  secretOutputs: ["value"],
  async create({ usagePlanId, keyId, keyType }, { clients }) {
    const { id = keyId, name, value } = await clients.apiGateway.createUsagePlanKey({ usagePlanId, keyId, keyType });
    return { id, outputs: { name, value } };
  },
  async read(id, { clients }, known) {
    const usagePlanId = known?.inputs.usagePlanId;
    const found = await unlessGone(clients.apiGateway.getUsagePlanKey({ usagePlanId, keyId: id }));
    return found && { name: found.name, value: found.value };
  },
  async delete(id, { inputs }, { clients }) {
    await clients.apiGateway.deleteUsagePlanKey({ usagePlanId: inputs.usagePlanId, keyId: id });
  },
});

export const types = {
  "aws:apigateway/apiKey:ApiKey": apiKey,
  "aws:apigateway/usagePlan:UsagePlan": usagePlan,
  "aws:apigateway/usagePlanKey:UsagePlanKey": usagePlanKey,
};
