import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

interface Settings {
  retention: number;
}

const { retention } = new pulumi.Config().requireObject<Settings>("settings");
const log = new aws.cloudwatch.LogGroup("typed", { retentionInDays: retention });

export const logGroup: pulumi.Output<string> = log.name;
