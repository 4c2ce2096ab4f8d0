import type { ApiKey, StageKey } from "@aws-sdk/client-api-gateway";
import { notEmulated } from "../../../core/errors";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, conflict, notFound } from "../errors";
import { flag, type PatchRule, patched, text } from "../patch";
import { newId, newKeyValue, page, type State, type StoredApiKey } from "../state";
import type { Part, Store } from "../store";

const rules: PatchRule<StoredApiKey>[] = [
  text("/name", "name"),
  text("/description", "description"),
  text("/customerId", "customerId"),
  flag("/enabled", "enabled"),
  {
    path: "/value",
    apply: (key, { value }) => {
      checkValue(value);
      key.value = value;
    },
  },
  {
    path: "/stages",
    ops: ["add", "remove"],
    apply: (key, { op, value }) => {
      const others = (key.stageKeys ?? []).filter((stage) => stage !== value);
      key.stageKeys = op === "remove" ? others : [...others, value];
    },
  },
];

/** ApiKey: values that clients send as `x-api-key`; they open only the stages of the usage plans they are in. */
export function apiKeys(store: Store, { clock }: Host): Part {
  return {
    CreateApiKey(input, context) {
      const state = store.of(context);
      if (input.value !== undefined) checkValue(input.value);
      const value = input.value ?? newKeyValue();
      if (taken(state, value)) throw conflict("API Key already exists");
      const now = new Date(clock.now());
      const key: StoredApiKey = {
        id: newId(10),
        value,
        name: input.name,
        description: input.description,
        customerId: input.customerId,
        enabled: input.enabled ?? false,
        createdDate: now,
        lastUpdatedDate: now,
        stageKeys: (input.stageKeys ?? []).map((stage) => stageKey(state, stage)),
        tags: input.tags,
      };
      state.keys.set(key.id, key);
      return key;
    },
    GetApiKey: ({ apiKey, includeValue }, context) => show(find(store.of(context), apiKey), includeValue ?? false),
    GetApiKeys({ nameQuery, customerId, includeValues, ...paging }, context) {
      const keys = [...store.of(context).keys.values()].filter(
        (key) =>
          (!nameQuery || key.name?.toLowerCase().startsWith(nameQuery.toLowerCase())) &&
          (!customerId || key.customerId === customerId),
      );
      const { items, position } = page(keys, paging);
      return { items: items.map((key) => show(key, includeValues ?? false)), position };
    },
    UpdateApiKey({ apiKey, patchOperations }, context) {
      const state = store.of(context);
      const key = find(state, apiKey);
      const updated = patched(key, patchOperations, rules, { input: "updateApiKeyInput" });
      if (updated.value !== key.value && taken(state, updated.value)) throw conflict("API Key already exists");
      updated.lastUpdatedDate = new Date(clock.now());
      state.keys.set(key.id, updated);
      return { tags: {}, ...show(updated, false) };
    },
    DeleteApiKey({ apiKey }, context) {
      const state = store.of(context);
      const { id } = find(state, apiKey);
      state.keys.delete(id);
      for (const plan of state.plans.values()) plan.keyIds = plan.keyIds.filter((keyId) => keyId !== id);
      return {};
    },
    ImportApiKeys({ format, body, failOnWarnings }, context) {
      if (format !== "csv") throw badRequest("Only csv format is supported for importing API keys");
      if (failOnWarnings) throw notEmulated("apigateway", "ImportApiKeys", "failOnWarnings");
      const state = store.of(context);
      const [head = "", ...lines] = Buffer.from((body ?? []) as Uint8Array)
        .toString()
        .trim()
        .split(/\r?\n/);
      const columns = head.split(",").map((column) => column.trim().toLowerCase());
      const keys = lines.map((line) => {
        const cells = line.split(",").map((cell) => cell.trim());
        const cell = (name: string) => cells[columns.indexOf(name)];
        checkValue(cell("key") ?? "");
        if (taken(state, cell("key")!)) throw conflict("API Key already exists");
        return { name: cell("name"), value: cell("key")!, description: cell("description"), enabled: cell("enabled") };
      });
      const now = new Date(clock.now());
      const ids = keys.map(({ enabled, ...key }) => {
        const id = newId(10);
        const isEnabled = enabled?.toLowerCase() !== "false";
        state.keys.set(id, { id, ...key, enabled: isEnabled, createdDate: now, lastUpdatedDate: now, stageKeys: [] });
        return id;
      });
      return { ids, warnings: [] };
    },
  };
}

function find(state: State, id: string | undefined): StoredApiKey {
  const key = state.keys.get(id ?? "");
  if (!key) throw notFound("API Key");
  return key;
}

const taken = (state: State, value: string) => [...state.keys.values()].some((key) => key.value === value);

function show({ value, ...key }: StoredApiKey, withValue: boolean): ApiKey {
  return withValue ? { ...key, value } : key;
}

function checkValue(value: string): void {
  const { least, value: most } = limits.restApi.apiKey;
  if (value.length < least) throw badRequest(`API Key value should be at least ${least} characters`);
  if (value.length > most) throw badRequest(`API Key value exceeds maximum size of ${most} characters`);
}

function stageKey(state: State, { restApiId, stageName }: StageKey): string {
  state.api(restApiId).stage(stageName ?? "");
  return `${restApiId}/${stageName}`;
}
