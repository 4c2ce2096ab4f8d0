/**
 * The rules engine's SQL: parse once, evaluate per message. Knows nothing of the rest of the emulator.
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html
 */
export type { SqlVersion, Statement, Variables } from "./ast";
export { evaluate, type SqlResult } from "./evaluate";
export { parseSql } from "./parser";
export type { MqttProperties, SqlContext } from "./scope";
export { parseTemplate, type Template } from "./template";
