import type { AccountRate } from "../../../core/gateway/account-rate";
import type { StoredApiKey, StoredUsagePlan } from "../state";
import type { Call } from "./call";
import { invalidApiKey, quotaExceeded, throttled } from "./failures";
import type { Meter } from "./meter";

/**
 * The API key of a request and the plan that lets it in, for methods that need a key; then every limit on the way:
 * the plan's for this method, the plan's, the quota, the stage's for this method, the account's.
 *
 * Methods without `apiKeyRequired` count for no plan, even when a key is sent.
 */
export function admit(call: Call, meter: Meter, accountRate: AccountRate): void {
  const { method, settingKey, planKey } = call.route!;
  if (method.apiKeyRequired) {
    const value =
      call.definition!.api.apiKeySource === "AUTHORIZER"
        ? call.authorization?.usageIdentifierKey
        : call.header("x-api-key");
    const { key, plan } = subscription(call, value);
    call.identity.apiKey = key.value;
    call.identity.apiKeyId = key.id;
    const use = plan.apiStages?.find(({ apiId, stage }) => apiId === call.api!.id && stage === call.stageName);
    // The root's key is written "//GET" or "/GET".
    const ofMethod = use?.throttle?.[planKey] ?? use?.throttle?.[planKey.replace("//", "/")];
    const bucket = `${plan.id}/${key.id}`;
    if (ofMethod && !meter.take(`${bucket}/${call.api!.id}/${call.stageName}/${planKey}`, ofMethod)) throw throttled();
    if (plan.throttle && !meter.take(bucket, plan.throttle)) throw throttled();
    if (!meter.spend(plan, key.id)) throw quotaExceeded();
  }
  const settings = call.stage!.methodSettings;
  const limits = settings?.[settingKey] ?? settings?.["*/*"];
  if (limits) {
    const { throttlingRateLimit: rateLimit, throttlingBurstLimit: burstLimit } = limits;
    if (!meter.take(`${call.api!.id}/${call.stageName}/${settingKey}`, { rateLimit, burstLimit })) throw throttled();
  }
  if (!accountRate.admit(call.api!.scope)) throw throttled();
}

function subscription(call: Call, value: string | undefined): { key: StoredApiKey; plan: StoredUsagePlan } {
  if (!value) throw invalidApiKey();
  for (const key of call.state!.keys.values()) {
    if (key.value !== value) continue;
    if (!key.enabled) break;
    for (const plan of call.state!.plans.values()) {
      const opens = plan.apiStages?.some(({ apiId, stage }) => apiId === call.api!.id && stage === call.stageName);
      if (opens && plan.keyIds.includes(key.id)) return { key, plan };
    }
  }
  throw invalidApiKey();
}
