import { randomBytes, randomUUID } from "node:crypto";
import { arnKind, idPrefixes, networkOutputs } from "./recorded-network";
import type { AnyResourceType, ProviderContext } from "./types";

/** Types whose id is their name. */
const named: Record<string, { property: string; arn: (name: string, region: string, account: string) => string }> = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    property: "name",
    arn: (name, region, account) => `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`,
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
    property: "alarmName",
    arn: (name, region, account) => `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`,
  },
  "aws:cloudwatch/dashboard:Dashboard": {
    property: "dashboardName",
    arn: (name, _region, account) => `arn:aws:cloudwatch::${account}:dashboard/${name}`,
  },
  "aws:iot/roleAlias:RoleAlias": {
    property: "alias",
    arn: (name, region, account) => `arn:aws:iot:${region}:${account}:rolealias/${name}`,
  },
  "aws:iot/provisioningTemplate:ProvisioningTemplate": {
    property: "name",
    arn: (name, region, account) => `arn:aws:iot:${region}:${account}:provisioningtemplate/${name}`,
  },
};

const recordable =
  /^aws:(ec2|vpc|ec2transitgatewayattachment|route53|cloudfront|acm|wafv2|sns|budgets|cloudtrail|xray|resourcegroups|backup)\/|^aws:cloudwatch\/(metricAlarm|compositeAlarm|dashboard|metricStream|logResourcePolicy|queryDefinition):|^aws:iot\/(roleAlias|provisioningTemplate):/;

/**
 * A type that works only in its effects elsewhere (networks, alarms, dashboards, DNS): nothing is made at the endpoint,
 * the resource gets an id and an ARN so that others can refer to it. Undefined for types that are not of this kind.
 */
export function recordedType(name: string): AnyResourceType | undefined {
  if (!recordable.test(name)) return undefined;
  const special = named[name];
  const [, service = "", kind = ""] = /^aws:([^/]+)\/([^:]+):/.exec(name) ?? [];
  const global = cloudfront.test(name);
  const outputs = async (id: string, inputs: Record<string, unknown>, context: ProviderContext) => {
    const account = await context.account();
    const arn = special
      ? special.arn(id, context.region, account)
      : `arn:aws:${service === "vpc" ? "ec2" : service}:${global ? "" : context.region}:${account}:${arnKind(kind)}/${id}`;
    return { arn, ...computed(name, id, inputs, account, context.region) };
  };
  return {
    ...(special && { autoname: { property: special.property as never, max: 255 } }),
    async create(inputs, context) {
      const hex = randomBytes(9).toString("hex").slice(0, 17);
      const id = special
        ? String(inputs[special.property])
        : global
          ? cloudfrontId(kind)
          : `${idPrefixes[name] ?? kind.toLowerCase()}-${hex}`;
      const label = special ? String(inputs[special.property]) : id;
      return { id, outputs: await outputs(label, inputs, context) };
    },
    async update(id, inputs, _old, context) {
      return outputs(special ? String(inputs[special.property]) : id, inputs, context);
    },
    async read(id, context, known) {
      return known ? { ...known.outputs } : outputs(id, {}, context);
    },
  };
}

/** CloudFront belongs to no region: its ARNs have none, and its ids are capitals but for those of policies. */
const cloudfront = /^aws:cloudfront\//;

function cloudfrontId(kind: string): string {
  if (/Policy$/.test(kind)) return randomUUID();
  const signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return `E${Array.from(randomBytes(13), (byte) => signs[byte % signs.length]).join("")}`;
}

/** The outputs that programs commonly pass on from a recorded resource. */
function computed(
  name: string,
  id: string,
  inputs: Record<string, unknown>,
  account: string,
  region: string,
): Record<string, unknown> {
  switch (name) {
    case "aws:cloudfront/distribution:Distribution":
      return {
        domainName: `d${id.toLowerCase()}.cloudfront.net`,
        hostedZoneId: "Z2FDTNDATAQYW2",
        status: "Deployed",
        etag: id,
      };
    default:
      return networkOutputs(name, id, inputs, account, region);
  }
}
