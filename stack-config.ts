import * as pulumi from "@pulumi/pulumi";
import { Checks } from "./components/checks";

/** The settings of the stack, `pulumi config set <name> <value>`; all are optional. */
export interface StackConfig {
  /** Requests per second that the API key allows. @default 100 */
  rateLimit: number;
  /** Requests at once that the API key allows. @default 200 */
  burstLimit: number;
  /** Days that messages are kept. @default for ever */
  ttlDays?: number;
  /** Each request's messages in S3 too. @default false */
  archive: boolean;
  /** Keeps the table from being deleted. @default false */
  deletionProtection: boolean;
  /** What live clients connect with; set it with `--secret`. @default generated */
  liveToken?: pulumi.Output<string>;
  /** What publishers send to the postbox; set it with `--secret`. @default generated */
  postboxToken?: pulumi.Output<string>;
  /**
   * False where something else sets the role with which API Gateway writes logs in this account and region.
   * @default true
   */
  manageAccount: boolean;
  /** The live page as a public website, which asks for the token. @default false */
  dashboard: boolean;
  /**
   * False where no device sends by MQTT: its stream is the one part that costs money while nothing happens.
   * @default true
   */
  iot: boolean;
  /** Names of devices to register with certificates: `["sensor-1"]`. @default none */
  devices?: string[];
  /** A flespi channel to take messages from. @default none */
  flespi?: { channelId: number; token: pulumi.Output<string> };
}

const names: readonly string[] = [
  ...["rateLimit", "burstLimit", "ttlDays", "archive", "deletionProtection", "liveToken", "postboxToken"],
  ...["manageAccount", "dashboard", "iot", "devices", "flespiChannel", "flespiToken"],
];

/** A list of names, or undefined for anything else. */
function readNames(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the settings and judges them all at once: each mistake with its name and a value that works. */
export function readConfig(): StackConfig {
  const config = new pulumi.Config();
  const checks = new Checks("The config of project", config.name);
  const prefix = `${config.name}:`;
  const given = Object.keys(pulumi.runtime.allConfig()).filter((key) => key.startsWith(prefix));
  checks.names("", Object.fromEntries(given.map((key) => [key.slice(prefix.length), true])), names);

  const number = (
    name: string,
    rule: { min: number; max?: number; decimals?: boolean; unit?: string; use: number },
  ) => {
    const text = config.get(name);
    if (text === undefined) return undefined;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    checks.number(name, Number.isNaN(value) ? text : value, rule);
    return value;
  };
  const flag = (name: string, fallback: boolean) => {
    const text = config.get(name);
    checks.oneOf(name, text, ["true", "false"]);
    return text === undefined ? fallback : text === "true";
  };

  const rateLimit = number("rateLimit", { min: 0, decimals: true, unit: "requests a second", use: 100 }) ?? 100;
  const burstLimit = number("burstLimit", { min: 0, unit: "requests", use: 200 }) ?? 200;
  const ttlDays = number("ttlDays", { min: 1, unit: "days", use: 90 });
  const channelId = number("flespiChannel", { min: 1, use: 1 });
  const flespiToken = config.getSecret("flespiToken");
  if (channelId !== undefined && !flespiToken) {
    checks.add("flespiToken", "be given with flespiChannel", "pulumi config set --secret flespiToken <token>");
  }
  const devicesText = config.get("devices");
  const devices = devicesText === undefined ? undefined : readNames(devicesText);
  if (devicesText !== undefined && !devices) {
    checks.add("devices", `be a list of names, not ${JSON.stringify(devicesText)}`, '["sensor-1"]');
  }
  const settings: StackConfig = {
    ...{ rateLimit, burstLimit, ttlDays, devices },
    archive: flag("archive", false),
    deletionProtection: flag("deletionProtection", false),
    liveToken: config.getSecret("liveToken"),
    postboxToken: config.getSecret("postboxToken"),
    manageAccount: flag("manageAccount", true),
    dashboard: flag("dashboard", false),
    iot: flag("iot", true),
    flespi: channelId !== undefined && flespiToken ? { channelId, token: flespiToken } : undefined,
  };
  checks.done();
  return settings;
}
