import { dirname, join, resolve } from "node:path";
import { type Deployment, deploy, progress, WarmProgram } from "../deploy";
import { readArguments, runCommand, toPort } from "./arguments";
import { tellDenials } from "./denials";
import { interrupted } from "./interrupted";
import { serveLive } from "./live";
import { ownConfig, tryOwnStack } from "./own-stack";
import { checkMqttPort, startOnPort } from "./ports";
import { faultLine, paint, requestLine } from "./screen";
import {
  checkOutputsFile,
  outputLines,
  plainOutputs,
  programOptions,
  programUsage,
  readProgram,
  writeOutputs,
} from "./stack-options";
import { watchProgram } from "./watch";

const usage = `npm start -- [options], or sensorcast start [options]

Starts the embedded AWS, deploys a Pulumi program onto it and shows each request, until Ctrl-C.

${programUsage}
  --port <n>             TCP port on 127.0.0.1; 0 takes a free one. Default 4566, or the next free one.
  --mqtt-port <n>        Port for devices (MQTT over TLS); 0 takes a free one. Default 8883, or a free one.
  --outputs <file>       Writes the stack's outputs as JSON (readable by you only: secrets are in it in clear).
  --watch                Deploys again what has changed whenever a file of the program does; nothing stored is lost.
  --simulate             With Sensorcast's own stack: a dozen devices post every second, and three publish by MQTT.

With Sensorcast's own stack, a device's certificate and key are written to .sensorcast/<port>/, for MQTT clients.`;

/** Of a clone; where this is installed as a package there is no program in it. */
const ownProject = resolve(__dirname, "..", "..");

/** What its stack is made of; changes of all else are there at the next start. */
const ownParts = [
  "index.ts",
  "stack-config.ts",
  "components",
  "handlers",
  "dashboard",
  "client",
  "Pulumi.yaml",
  "Pulumi.dev.yaml",
];

runCommand(async () => {
  const options = readArguments(usage, {
    ...programOptions,
    port: { type: "string" },
    "mqtt-port": { type: "string" },
    outputs: { type: "string" },
    watch: { type: "boolean" },
    simulate: { type: "boolean" },
  });
  const program = readProgram(options);
  const isOwn = resolve(program.program) === ownProject;
  const simulated = isOwn && options.simulate === true;
  if (options.outputs) await checkOutputsFile(options.outputs);
  const port = toPort(options.port);
  const mqttPort = toPort(options["mqtt-port"], "--mqtt-port");
  await checkMqttPort(mqttPort);
  await using emulator = await startOnPort(port, { mqttPort });
  const stopped = interrupted();
  console.log(`${paint("bold", "Sensorcast")}  embedded AWS at ${paint("cyan", emulator.endpoint)}\n`);

  const warm = options.watch ? new WarmProgram() : undefined;
  const deployment = await Promise.race([
    deploy({
      ...program,
      warm,
      endpoint: emulator.endpoint,
      config: { ...(isOwn && ownConfig(simulated)), ...program.config },
      onEvent: progress({ write: (line) => console.log(line) }),
    }),
    stopped,
  ]);
  if (!deployment) return;
  const outputs = plainOutputs(deployment);
  if (options.outputs) await writeOutputs(options.outputs, outputs);

  const lines = outputLines(deployment);
  if (lines) console.log(`\n${paint("bold", "Outputs")}\n${lines}`);
  if (options.outputs) console.log(`\nWritten to ${join(options.outputs)}`);
  const pages = await serveLive(
    { ...shownOf(deployment), stack: program.stack, deadLetterQueues: lettersIn(outputs) },
    emulator,
  );
  const folder = join(ownProject, ".sensorcast");
  const endOwn = isOwn ? await tryOwnStack(outputs, emulator, { folder, simulated }) : undefined;
  if (pages.dashboardUrl) console.log(`\n${paint("bold", "See it live")}\n  ${paint("cyan", pages.dashboardUrl)}`);
  console.log(`\n${paint("bold", "See what happens inside")}\n  ${paint("cyan", pages.inspectorUrl)}`);
  console.log(`\n${paint("dim", "Requests appear below. Ctrl-C ends everything.")}`);

  const unwatch = emulator.watch((record) => {
    // What the broadcast posts to each browser would hide the requests that people make.
    if (record.service === "execute-api" && !record.operation.includes("/@connections/")) {
      console.log(requestLine(record));
    }
  });
  // What acts on a request is in its line.
  const unwatchFaults = emulator.faults.watch((hit) => {
    if (hit.service !== "execute-api") console.log(faultLine(hit));
  });
  const unwatchDenials = tellDenials(emulator, (text) => console.log(text));
  const endWatch = options.watch
    ? watchProgram(deployment, {
        folder: /\.[cm]?[jt]s$/.test(program.program) ? dirname(program.program) : program.program,
        ...(isOwn && { parts: ownParts, compile: compileOwn }),
        ...(options.outputs && { except: options.outputs }),
        say: (line) => console.log(line),
        show: async (next) => {
          pages.show(shownOf(next));
          if (options.outputs) await writeOutputs(options.outputs, plainOutputs(next));
        },
      })
    : undefined;
  await stopped;
  await endWatch?.();
  warm?.close();
  await endOwn?.();
  unwatch();
  unwatchFaults();
  unwatchDenials();
  await pages.close();
});

/** Sensorcast's own stack is deployed as compiled; the set-up's compiler is no module of the program. */
function compileOwn(): void {
  const { compile } = require(join(ownProject, "scripts", "compile.js")) as { compile(say: () => void): number };
  compile(() => {});
}

/** What the pages show of a deployment; a dashboard where the program says where its live view is. */
function shownOf(deployment: Deployment) {
  const { liveUrl, liveToken } = plainOutputs(deployment);
  return {
    ...(typeof liveUrl === "string" && { liveUrl }),
    ...(typeof liveToken === "string" && { liveToken }),
    resources: deployment.resources,
  };
}

/** Queues that count as dead-letter queues, by the names of the outputs. */
const lettersIn = (outputs: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(outputs).flatMap(([name, value]) =>
    /(deadLetter|error|failure)QueueUrl$/i.test(name) && typeof value === "string" ? [value] : [],
  );
