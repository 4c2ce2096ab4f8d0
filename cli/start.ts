import { access, constants, open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Deployment, deploy, progress } from "../deploy";
import { readArguments, runCommand, toPort, UsageError } from "./arguments";
import { type DeviceCredentials, mosquittoPub, writeDevices } from "./devices";
import { interrupted } from "./interrupted";
import { serveLive } from "./live";
import { checkMqttPort, startOnPort } from "./ports";
import { columns, curl, paint, requestLine } from "./screen";
import { sampleReading, simulate } from "./simulate";
import { simulateMqtt } from "./simulate-mqtt";

const usage = `npm start -- [--port <n>] [--mqtt-port <n>] [--outputs <file>] [--simulate]

Starts the embedded AWS, deploys index.ts onto it and shows each request, until Ctrl-C.

  --port <n>         TCP port on 127.0.0.1; 0 takes a free one. Default 4566, or the next free one.
  --mqtt-port <n>    Port for devices (MQTT over TLS); 0 takes a free one. Default 8883, or a free one.
  --outputs <file>   Writes the stack's outputs as JSON (readable by you only: secrets are in it in clear).
  --simulate         A dozen devices post readings every second, and three more publish by MQTT.

A device's certificate and key are written to .sensorcast/<port>/, for MQTT clients.`;

const project = resolve(__dirname, "..", "..");

/** Devices that `--simulate` drives. */
const lorries = ["lorry-1", "lorry-2", "lorry-3"];

type Outputs = Record<string, unknown>;

/** The outputs as plain values, secrets in clear. */
const plain = ({ outputs }: Deployment): Outputs =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));

/** Keeps a secret off the screen until somebody asks for it; the API key is in the curl line, which is the point of it. */
const shown = ({ outputs }: Deployment): [string, string][] =>
  Object.entries(outputs)
    .filter(([, { value }]) => value !== undefined && value !== null && value !== "")
    .map(([name, { value, secret }]) => [
      name,
      secret ? paint("dim", "[secret]") : typeof value === "string" ? value : JSON.stringify(value),
    ]);

/** Before everything is deployed, and not after: a file that cannot be written is a mistake on the command line. */
const checkFolder = (file: string) =>
  access(dirname(resolve(file)), constants.W_OK).catch(() => {
    throw new UsageError(`--outputs ${file}: there is no folder ${dirname(resolve(file))} that can be written to`);
  });

async function writeOutputs(file: string, outputs: Outputs): Promise<void> {
  await using handle = await open(resolve(file), "w", 0o600);
  // A file from before keeps its rights: they are taken away before the secrets are in it.
  if ((await handle.stat()).isFile()) await handle.chmod(0o600);
  await handle.writeFile(`${JSON.stringify(outputs, null, 2)}\n`);
}

runCommand(async () => {
  const options = readArguments(usage, {
    port: { type: "string" },
    "mqtt-port": { type: "string" },
    outputs: { type: "string" },
    simulate: { type: "boolean" },
  });
  if (options.outputs) await checkFolder(options.outputs);
  const port = toPort(options.port);
  const mqttPort = toPort(options["mqtt-port"], "--mqtt-port");
  await checkMqttPort(mqttPort);
  await using emulator = await startOnPort(port, { mqttPort });
  const stopped = interrupted();
  console.log(`${paint("bold", "Sensorcast")}  embedded AWS at ${paint("cyan", emulator.endpoint)}\n`);

  const deployment = await Promise.race([
    deploy({
      program: project,
      stack: "dev",
      endpoint: emulator.endpoint,
      config: { devices: ["sensor-1", ...(options.simulate ? lorries : [])] },
      onEvent: progress({ write: (line) => console.log(line) }),
    }),
    stopped,
  ]);
  if (!deployment) return;
  const outputs = plain(deployment);
  if (options.outputs) await writeOutputs(options.outputs, outputs);

  console.log(`\n${paint("bold", "Outputs")}\n${columns(shown(deployment))}`);
  const text = (name: string) => String(outputs[name]);
  const url = text("url");
  if (options.outputs) console.log(`\nWritten to ${join(options.outputs)}`);
  const headers = {
    "content-type": "application/json",
    ...(typeof outputs.apiKey === "string" && { "x-api-key": outputs.apiKey }),
  };
  const dashboard = await serveLive(
    {
      liveUrl: text("liveUrl"),
      liveToken: text("liveToken"),
      deadLetterQueues: Object.keys(outputs)
        .filter((name) => /(deadLetter|error|failure)QueueUrl$/i.test(name))
        .map(text),
    },
    emulator,
  );
  const reading = JSON.stringify([sampleReading(Date.now() / 1000)]);
  console.log(`\n${paint("bold", "Send a reading")}\n  ${curl(url, headers, reading)}`);
  const publish = { AuthDetails: text("postboxToken"), "content-type": "application/json" };
  console.log(
    `\n${paint("bold", "Publish anything of up to 10 MB (a file: --data-binary @file)")}\n  ${curl(text("postboxUrl"), publish, "{}")}`,
  );
  const devices = await writeDevices(
    // Another run at the same time has an authority of its own.
    join(project, ".sensorcast", String(emulator.port)),
    outputs.devices as Record<string, DeviceCredentials>,
    text("iotEndpoint"),
    emulator,
  );
  const sensor = devices.find(({ name }) => name === "sensor-1");
  console.log(`\n${paint("bold", "Publish by MQTT")}\n  ${mosquittoPub(sensor!, '{"temp":21.3,"humd":45.2}')}`);
  console.log(`\n${paint("bold", "See it live")}\n  ${paint("cyan", dashboard.url)}`);
  console.log(`\n${paint("dim", "Requests appear below. Ctrl-C ends everything.")}`);

  const unwatch = emulator.watch((record) => {
    // What the broadcast posts to each browser would hide the requests that people make.
    if (record.service === "execute-api" && !record.operation.includes("/@connections/")) {
      console.log(requestLine(record));
    }
  });
  const noAnswer = (why: string) => console.log(paint("red", `the simulated devices got no answer: ${why}`));
  const stop = options.simulate ? simulate(url, headers, noAnswer) : undefined;
  const simulated = devices.filter(({ name }) => lorries.includes(name));
  const stopMqtt = await simulateMqtt(simulated, noAnswer);
  await stopped;
  stop?.();
  await stopMqtt();
  unwatch();
  await dashboard.close();
});
