// Makes the resources that the config declares, so that a test can say in one place what is deployed and what changes:
// { type: "sqs.Queue", name: "jobs", args: {...}, options: {...} }. "$jobs.arn" in args stands for that output,
// "integrations/<jobs.id>" holds it, and "$jobs" in options is the resource itself. Type "component" makes a component,
// "remote" a remote one.
const pulumi = require("@pulumi/pulumi");
const aws = require("@pulumi/aws");

const config = new pulumi.Config();
const made = {};

const resolve = (value) => {
  if (typeof value === "string" && /<\w+\.\w+>/.test(value)) {
    const references = value.match(/<\w+\.\w+>/g).map((reference) => resolve(`$${reference.slice(1, -1)}`));
    return pulumi.interpolate(value.split(/<\w+\.\w+>/), ...references);
  }
  // API Gateway has words of its own that begin so, and EventBridge has paths.
  if (typeof value === "string" && /^\$(?!(\.|request\.|(default|connect|disconnect)$))/.test(value)) {
    const [name, property] = value.slice(1).split(".");
    if (name === "secret") return config.requireSecret(property);
    return property ? made[name][property] : made[name];
  }
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value === "object" && value !== null) {
    if (value.text !== undefined) return new pulumi.asset.StringAsset(value.text);
    if (value.assets) return new pulumi.asset.AssetArchive(resolve(value.assets));
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member)]));
  }
  return value;
};

for (const { type, name, key = name, args = {}, options = {} } of config.requireObject("resources")) {
  if (type === "component") made[key] = new pulumi.ComponentResource("test:index:Group", name, {}, resolve(options));
  else if (type === "remote") made[key] = new pulumi.ComponentResource(args.type, name, {}, {}, true);
  else if (type.includes(":")) made[key] = new pulumi.CustomResource(type, name, resolve(args), resolve(options));
  else {
    const [module, kind] = type.split(".");
    made[key] = new aws[module][kind](name, resolve(args), resolve(options));
  }
}

const wanted = config.getObject("outputs") ?? {};
for (const [name, value] of Object.entries(wanted)) exports[name] = resolve(value);
