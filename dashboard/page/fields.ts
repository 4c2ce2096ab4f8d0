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

type Message = Record<string, unknown>;
const isObject = (value: unknown): value is Message =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the device said: `IoTStream` puts its payload into `data`, beside the topic. */
const payloadOf = (message: Message): Message =>
  typeof message.topic === "string" && isObject(message.data) ? message.data : message;

function* fieldsOf(message: Message, prefix = ""): Generator<[string, string | number | boolean]> {
  for (const [name, value] of Object.entries(message)) {
    if (prefix === "" && envelope.has(name)) continue;
    if (typeof value === "string") {
      yield [prefix + name, value.length > maxText ? `${value.slice(0, maxText)}…` : value];
    } else if ((typeof value === "number" && Number.isFinite(value)) || typeof value === "boolean") {
      yield [prefix + name, value];
    } else if (prefix === "" && isObject(value)) yield* fieldsOf(value, `${name}.`);
  }
}

/** What a message measures: numbers, texts and booleans at its root or one level below, without its envelope. */
export const readingOf = (message: unknown): Reading =>
  isObject(message) ? Object.fromEntries([...fieldsOf(payloadOf(message))].slice(0, maxFields)) : {};

/** When it was measured, in seconds: by the device's clock where the message says so, else when it was accepted. */
export function timeOf(message: unknown, at: string | undefined, now: number): number {
  const { tsmTs, timestamp } = isObject(message) ? message : {};
  for (const given of [tsmTs, timestamp]) {
    if (typeof given !== "number") continue;
    // `IoTStream` counts milliseconds.
    const seconds = given > 1e11 ? given / 1000 : given;
    // A device whose clock is not set yet reports 1970.
    if (seconds > 1e9 && seconds < now + 3600) return seconds;
  }
  const accepted = Date.parse(at ?? "") / 1000;
  return Number.isFinite(accepted) ? accepted : now;
}
