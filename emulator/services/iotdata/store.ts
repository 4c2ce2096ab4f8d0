import type { Operations } from "../../core/service";

export type Sdk = typeof import("@aws-sdk/client-iot-data-plane");

export type IotDataOperations = Operations<Sdk>;
