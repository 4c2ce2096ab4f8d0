import type { LogLevel } from "@aws-sdk/client-iot";
import type { LoggingOptions, LoggingOptionsArgs } from "@pulumi/aws/iot";
import { errorCode } from "../errors";
import { roleIsNew } from "./iot-rules";
import { type PlainArgs, type ProviderContext, resourceType } from "./types";
import { retryWhile } from "./wait";

const set = (args: PlainArgs<LoggingOptionsArgs>, context: ProviderContext) =>
  retryWhile(context, roleIsNew, () =>
    context.clients.iot.setV2LoggingOptions({
      roleArn: args.roleArn,
      defaultLogLevel: args.defaultLogLevel as LogLevel,
      disableAllLogs: args.disableAllLogs ?? false,
    }),
  );

/** The log of AWS IoT Core: one in each account and region, which can be switched off and not taken away. */
const loggingOptions = resourceType<LoggingOptionsArgs, LoggingOptions>({
  async create(args, context) {
    await set(args, context);
    return { id: context.region };
  },
  async read(_id, { clients }) {
    try {
      const { roleArn, defaultLogLevel, disableAllLogs } = await clients.iot.getV2LoggingOptions({});
      return { roleArn, defaultLogLevel, disableAllLogs };
    } catch (error) {
      if (errorCode(error) === "NotConfiguredException") return undefined;
      throw error;
    }
  },
  async update(_id, args, _old, context) {
    await set(args, context);
  },
});

export const types = { "aws:iot/loggingOptions:LoggingOptions": loggingOptions };
