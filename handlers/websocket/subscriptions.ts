import { ALL, isDeviceName } from "./rows";

/** Devices in one frame: a subscription is written as two rows. */
const MAX_DEVICES = 100;
/** Devices of one connection. Who wants more of them wants them all. */
export const MAX_SUBSCRIPTIONS = 500;

/** The devices that a client names, each once; or what is wrong with them, as a text. */
export function readDevices(value: unknown): string[] | string {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isDeviceName)) {
    return `devices must be an array of device names of 1 to 1,000 bytes, or ["${ALL}"] for all of them`;
  }
  const devices = [...new Set(value as string[])];
  return devices.length > MAX_DEVICES ? `devices must be at most ${MAX_DEVICES} at a time` : devices;
}

/** Those devices that a client may have. To a client that is limited to some, everything is just these. */
export function permitted(devices: readonly string[], allowed: readonly string[] | undefined): string[] {
  if (!allowed) return [...devices];
  return devices.includes(ALL) ? [...new Set(allowed)] : devices.filter((device) => allowed.includes(device));
}
