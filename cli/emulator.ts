import { readArguments, runCommand, toPort } from "./arguments";
import { interrupted } from "./interrupted";
import { checkMqttPort, startOnPort } from "./ports";

const usage = `npm run emulator -- [--port <n>] [--mqtt-port <n>]

Serves the embedded AWS alone, until Ctrl-C.

  --port <n>        TCP port on 127.0.0.1; 0 takes a free one. Default 4566, or the next free one.
  --mqtt-port <n>   Port for devices (MQTT over TLS); 0 takes a free one. Default 8883, or a free one.`;

runCommand(async () => {
  const options = readArguments(usage, { port: { type: "string" }, "mqtt-port": { type: "string" } });
  const port = toPort(options.port);
  const mqttPort = toPort(options["mqtt-port"], "--mqtt-port");
  await checkMqttPort(mqttPort);
  await using emulator = await startOnPort(port, { mqttPort });
  console.log(`Embedded AWS at ${emulator.endpoint}`);
  console.log("\nUse it from a shell:");
  console.log(`  export AWS_ENDPOINT_URL=${emulator.endpoint} AWS_REGION=eu-west-1`);
  console.log("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test");
  console.log("\nCtrl-C ends it; nothing is kept.");
  await interrupted();
});
