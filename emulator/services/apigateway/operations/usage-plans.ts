import type { ApiStage, ThrottleSettings, UsagePlan } from "@aws-sdk/client-api-gateway";
import { badRequest, conflict, notFound, notFoundMessage } from "../errors";
import type { Meter } from "../execute/meter";
import { type PatchRule, patched, text } from "../patch";
import { newId, page, type State, type StoredUsagePlan } from "../state";
import type { Part, Store } from "../store";

/** UsagePlan, UsagePlanKey and Usage: which keys open which stages, how fast and how often. */
export function usagePlans(store: Store, meter: Meter): Part {
  return {
    CreateUsagePlan(input, context) {
      const state = store.of(context);
      if (!input.name) throw badRequest("Usage Plan name must be non-empty");
      const plan: StoredUsagePlan = {
        id: newId(6),
        name: input.name,
        description: input.description,
        apiStages: input.apiStages ?? [],
        throttle: input.throttle,
        quota: input.quota && { offset: 0, ...input.quota },
        tags: input.tags,
        keyIds: [],
      };
      check(state, plan);
      state.plans.set(plan.id, plan);
      return show(plan);
    },
    GetUsagePlan: ({ usagePlanId }, context) => show(find(store.of(context), usagePlanId)),
    GetUsagePlans({ keyId, ...paging }, context) {
      const plans = [...store.of(context).plans.values()].filter((plan) => !keyId || plan.keyIds.includes(keyId));
      const { items, position } = page(plans, paging);
      return { items: items.map(show), position };
    },
    UpdateUsagePlan({ usagePlanId, patchOperations }, context) {
      const state = store.of(context);
      const plan = find(state, usagePlanId);
      const operations = patchOperations?.map((operation) => ({ ...operation, path: escapeMethod(operation.path) }));
      const updated = patched(plan, operations, rules, { input: "updateUsagePlanInput" });
      check(state, updated);
      state.plans.set(plan.id, updated);
      return { tags: {}, ...show(updated) };
    },
    DeleteUsagePlan({ usagePlanId }, context) {
      const state = store.of(context);
      const plan = find(state, usagePlanId);
      if (plan.apiStages?.length)
        throw badRequest(
          `Cannot delete usage plan ${plan.id} because it is associated with API stages: ${plan.apiStages.map(({ apiId, stage }) => `${apiId}:${stage}`).join(", ")}`,
        );
      state.plans.delete(plan.id);
      return {};
    },

    CreateUsagePlanKey({ usagePlanId, keyId, keyType }, context) {
      const state = store.of(context);
      const plan = find(state, usagePlanId);
      if (keyType !== "API_KEY") throw badRequest("Invalid key type specified");
      const key = state.keys.get(keyId ?? "");
      if (!key) throw notFound("API Key");
      if (plan.keyIds.includes(key.id)) throw conflict(`Usage Plan ${plan.id} already has the API Key ${key.id}`);
      const other = [...state.plans.values()].find(
        (known) => known.keyIds.includes(key.id) && shared(known, plan) !== undefined,
      );
      // One key may open one stage through one plan only (developer guide, usage plans).
      if (other)
        throw conflict(
          `API Key ${key.id} cannot be added to Usage Plan ${plan.id}: it is already subscribed to API stage ${shared(other, plan)} through Usage Plan ${other.id}`,
        );
      plan.keyIds.push(key.id);
      return { id: key.id, type: "API_KEY", name: key.name, value: key.value };
    },
    GetUsagePlanKey: ({ usagePlanId, keyId }, context) => planKey(store.of(context), usagePlanId, keyId),
    GetUsagePlanKeys({ usagePlanId, nameQuery, ...paging }, context) {
      const state = store.of(context);
      const keys = find(state, usagePlanId)
        .keyIds.map((id) => planKey(state, usagePlanId, id))
        .filter(({ name }) => !nameQuery || name?.startsWith(nameQuery));
      return page(keys, paging);
    },
    DeleteUsagePlanKey({ usagePlanId, keyId }, context) {
      const state = store.of(context);
      planKey(state, usagePlanId, keyId);
      const plan = find(state, usagePlanId);
      plan.keyIds = plan.keyIds.filter((id) => id !== keyId);
      return {};
    },

    GetUsage({ usagePlanId, keyId, startDate = "", endDate = "" }, context) {
      const plan = find(store.of(context), usagePlanId);
      if (![startDate, endDate].every((day) => /^\d{4}-\d\d-\d\d$/.test(day)) || startDate > endDate)
        throw badRequest("Usage date range must be from startDate to endDate as yyyy-mm-dd");
      if (keyId && !plan.keyIds.includes(keyId)) throw notFoundMessage("Invalid API Key identifier specified");
      const ids = keyId ? [keyId] : plan.keyIds;
      const items = Object.fromEntries(ids.map((id) => [id, meter.usage(plan, id, startDate, endDate)]));
      return { usagePlanId: plan.id, startDate, endDate, items };
    },
    UpdateUsage({ usagePlanId, keyId, patchOperations }, context) {
      const state = store.of(context);
      const plan = find(state, usagePlanId);
      planKey(state, usagePlanId, keyId);
      const rule: PatchRule<{ remaining?: number }> = {
        path: "/remaining",
        apply: (target, { value }) => {
          target.remaining = Number(value);
          if (value === "" || !(target.remaining >= 0)) throw badRequest("Remaining quota must be a positive number");
        },
      };
      const { remaining } = patched<{ remaining?: number }>({}, patchOperations, [rule], { input: "updateUsageInput" });
      if (remaining !== undefined) {
        if (!plan.quota?.limit) throw badRequest("Usage Plan has no quota");
        meter.grant(plan, keyId!, remaining);
      }
      const today = meter.today();
      const items = { [keyId!]: meter.usage(plan, keyId!, today, today) };
      return { usagePlanId: plan.id, startDate: today, endDate: today, items };
    },
  };
}

const show = ({ keyIds: _, ...plan }: StoredUsagePlan): UsagePlan => plan;

function find(state: State, id: string | undefined): StoredUsagePlan {
  const plan = state.plans.get(id ?? "");
  if (!plan) throw notFoundMessage("Invalid Usage Plan ID specified");
  return plan;
}

function planKey(state: State, planId: string | undefined, keyId: string | undefined) {
  const key = find(state, planId).keyIds.includes(keyId ?? "") && state.keys.get(keyId!);
  if (!key) throw notFoundMessage("Invalid API Key identifier specified");
  return { id: key.id, type: "API_KEY", name: key.name, value: key.value };
}

/** A stage that both plans open, as `api:stage`. */
function shared(one: UsagePlan, other: UsagePlan): string | undefined {
  const stages = new Set(one.apiStages?.map(({ apiId, stage }) => `${apiId}:${stage}`));
  return other.apiStages?.map(({ apiId, stage }) => `${apiId}:${stage}`).find((stage) => stages.has(stage));
}

function check(state: State, { apiStages, throttle, quota }: StoredUsagePlan): void {
  for (const { apiId, stage, throttle: methods } of apiStages ?? []) {
    if (!state.apis.get(apiId ?? "")?.stages.has(stage ?? ""))
      throw notFoundMessage(`Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan`);
    for (const limits of Object.values(methods ?? {})) checkThrottle(limits);
  }
  if (throttle) checkThrottle(throttle);
  if (!quota) return;
  if (!["DAY", "WEEK", "MONTH"].includes(quota.period ?? ""))
    throw badRequest("Usage Plan quota period must be DAY, WEEK or MONTH");
  if (!((quota.limit ?? 0) > 0)) throw badRequest("Usage Plan quota limit must be greater than 0");
  const most = { DAY: 0, WEEK: 6, MONTH: 27 }[quota.period!];
  if ((quota.offset ?? 0) < 0 || (quota.offset ?? 0) > most)
    throw badRequest(`Usage Plan quota offset must be between 0 and ${most} for period ${quota.period}`);
}

function checkThrottle({ rateLimit = 0, burstLimit = 0 }: ThrottleSettings): void {
  if (rateLimit < 0) throw badRequest("Usage Plan throttle rate limit must be greater than or equal to 0");
  if (burstLimit < 0) throw badRequest("Usage Plan throttle burst limit must be greater than or equal to 0");
}

/**
 * Tools send the method in a throttle's path with plain slashes, too (`.../throttle//pets/GET/rateLimit`); AWS takes
 * both. This is the escaped form, with one slash in front.
 */
function escapeMethod(path: string | undefined): string | undefined {
  const match = /^(\/apiStages\/[^/]+\/throttle)\/(.*[^/])(\/(?:rateLimit|burstLimit))$/.exec(path ?? "");
  if (!match?.[2]?.includes("/")) return path;
  const method = `/${match[2].replace(/^\//, "")}`;
  return `${match[1]}/${method.replaceAll("/", "~1")}${match[3]}`;
}

const stageOf = (plan: StoredUsagePlan, id: string): ApiStage => {
  const stage = plan.apiStages?.find((known) => `${known.apiId}:${known.stage}` === id);
  if (!stage) throw notFoundMessage("Invalid API Stage specified");
  return stage;
};

const numbers = (member: "throttle" | "quota", name: string): PatchRule<StoredUsagePlan> => ({
  path: `/${member}/${name}`,
  ops: ["add", "replace"],
  apply: (plan, { value }) => {
    plan[member] = { ...plan[member], [name]: name === "period" ? value : Number(value) };
  },
});

const rules: PatchRule<StoredUsagePlan>[] = [
  text("/name", "name"),
  text("/description", "description"),
  text("/productCode", "productCode"),
  numbers("throttle", "rateLimit"),
  numbers("throttle", "burstLimit"),
  numbers("quota", "limit"),
  numbers("quota", "offset"),
  numbers("quota", "period"),
  ...(["throttle", "quota"] as const).map(
    (member): PatchRule<StoredUsagePlan> => ({
      path: `/${member}`,
      ops: ["remove"],
      apply: (plan) => {
        plan[member] = undefined;
      },
    }),
  ),
  {
    path: "/apiStages",
    ops: ["add", "remove"],
    apply: (plan, { op, value }) => {
      const [apiId, stage] = value.split(":");
      if (!apiId || !stage) throw badRequest("Invalid API Stage specified");
      if (op === "remove") stageOf(plan, value);
      const others = (plan.apiStages ?? []).filter((known) => `${known.apiId}:${known.stage}` !== value);
      plan.apiStages = op === "remove" ? others : [...others, { apiId, stage }];
    },
  },
  {
    // The last name is the method, "/pets/GET", its slashes escaped.
    path: "/apiStages/{}/throttle/{}",
    ops: ["remove"],
    apply: (plan, { names: [id = "", method = ""] }) => {
      const stage = stageOf(plan, id);
      const { [method]: _, ...rest } = stage.throttle ?? {};
      stage.throttle = rest;
    },
  },
  ...(["rateLimit", "burstLimit"] as const).map(
    (name): PatchRule<StoredUsagePlan> => ({
      path: `/apiStages/{}/throttle/{}/${name}`,
      ops: ["add", "replace"],
      apply: (plan, { names: [id = "", method = ""], value }) => {
        const stage = stageOf(plan, id);
        stage.throttle = { ...stage.throttle, [method]: { ...stage.throttle?.[method], [name]: Number(value) } };
      },
    }),
  ),
];
