/** How a field of a message is shown. */
export interface Field {
  readonly label: string;
  readonly unit: string;
  readonly digits: number;
  /** The shown number is the message's times this. */
  readonly factor: number;
}

const field = (label: string, unit = "", digits = 0, factor = 1): Field => ({ label, unit, digits, factor });

// Thingsee profiles; flespi's dotted names. Any other number is shown under its own name.
const known: Record<string, Field> = {
  temp: field("Temperature", "°C", 1),
  humd: field("Humidity", "%", 1),
  airp: field("Air pressure", "hPa", 1, 0.01),
  lght: field("Light", "lx"),
  batl: field("Battery", "%"),
  moveCount: field("Movements"),
  count: field("People"),
  duration: field("Duration", "s"),
  dist: field("Distance", "mm"),
  hall: field("Hall switch"),
  "position.latitude": field("Latitude", "°", 5),
  "position.longitude": field("Longitude", "°", 5),
  "position.speed": field("Speed", "km/h"),
  "battery.level": field("Battery", "%"),
};

// What a message says about itself rather than about the world.
const envelope = new Set([
  ...["tsmId", "tsmEv", "tsmTs", "tsmTuid", "tsmGw", "tsmDstTuid", "deploymentGroupId"],
  ...["ident", "timestamp", "server.timestamp", "channel.id", "protocol.id", "device.id"],
]);

export const fieldOf = (name: string): Field => (Object.hasOwn(known, name) ? known[name]! : field(name, "", 2));

/** A number with the field's digits and unit; of an unknown field, as many digits as it needs. */
export function format(name: string, value: number): string {
  const { unit, digits, factor } = fieldOf(name);
  const shown = Object.hasOwn(known, name) ? (value * factor).toFixed(digits) : String(Number(value.toFixed(digits)));
  return unit === "" ? shown : `${shown}\u202f${unit}`;
}

export type Reading = Record<string, string | number | boolean>;

const maxFields = 12;
const maxText = 80;

/** What a message measures: numbers, texts and booleans at its root, without its envelope. */
export function readingOf(data: unknown): Reading {
  if (typeof data !== "object" || data === null) return {};
  const fields = Object.entries(data).flatMap(([name, value]): [string, string | number | boolean][] => {
    if (envelope.has(name)) return [];
    if (typeof value === "string") return [[name, value.length > maxText ? `${value.slice(0, maxText)}…` : value]];
    return (typeof value === "number" && Number.isFinite(value)) || typeof value === "boolean" ? [[name, value]] : [];
  });
  return Object.fromEntries(fields.slice(0, maxFields));
}

/** When it was measured, in seconds: by the device's clock where the message says so, else when it was accepted. */
export function timeOf(data: unknown, at: string | undefined, now: number): number {
  const { tsmTs, timestamp } = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  for (const seconds of [tsmTs, timestamp]) {
    // A device whose clock is not set yet reports 1970.
    if (typeof seconds === "number" && seconds > 1e9 && seconds < now + 3600) return seconds;
  }
  const accepted = Date.parse(at ?? "") / 1000;
  return Number.isFinite(accepted) ? accepted : now;
}
