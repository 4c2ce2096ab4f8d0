import { readFile } from "node:fs/promises";
import { connect, type MqttClient } from "mqtt";
import type { ReadyDevice } from "./devices";
import { drift, round } from "./simulate";

/** What a device in a lorry measures. */
function makeLorry(): () => Record<string, unknown> {
  const [temp, speed, level] = [drift(-20, 6, 0.2), drift(0, 90, 6), drift(40, 100, 0.1)];
  const [latitude, longitude] = [drift(60.1, 60.3, 0.001), drift(24.6, 25.1, 0.001)];
  return () => ({
    temp: round(temp(), 1),
    position: { latitude: round(latitude(), 5), longitude: round(longitude(), 5), speed: round(speed(), 0) },
    battery: { level: round(level(), 0) },
  });
}

async function connectDevice({ name, host, port, files }: ReadyDevice): Promise<MqttClient> {
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((path) => readFile(path)));
  return connect({ protocol: "mqtts", host, port, ca, cert, key, clientId: name });
}

/**
 * Publishes what the devices measure, every second, until stopped. They connect again by themselves.
 *
 * @returns the way to stop.
 */
export async function simulateMqtt(
  devices: readonly ReadyDevice[],
  onFailure: (why: string) => void,
): Promise<() => Promise<void>> {
  const stops = await Promise.all(
    devices.map(async (device) => {
      const client = await connectDevice(device);
      client.on("error", (error) => onFailure(`${device.name}: ${error.message}`));
      const measure = makeLorry();
      const timer = setInterval(() => {
        if (client.connected) client.publish(device.topic, JSON.stringify(measure()), { qos: 1 });
      }, 1000);
      return async () => {
        clearInterval(timer);
        await client.endAsync(true);
      };
    }),
  );
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}
