// A resource whose provider is part of the program, and a transform that tags every queue.
const path = require("node:path");
const pulumi = require("@pulumi/pulumi");
const aws = require("@pulumi/aws");

const config = new pulumi.Config();

const greeter = {
  check: async (_olds, news) => ({
    inputs: news,
    failures: news.name ? [] : [{ property: "name", reason: "must not be empty" }],
  }),
  diff: async (_id, olds, news) => ({
    changes: olds.name !== news.name,
    replaces: olds.tone !== news.tone ? ["tone"] : [],
  }),
  create: async ({ name, tone }) => ({ id: `greeting-${tone}`, outs: { name, tone, text: path.join("hello", name) } }),
  update: async (_id, _olds, { name, tone }) => ({ outs: { name, tone, text: path.join("hello", name) } }),
};

class Greeting extends pulumi.dynamic.Resource {
  constructor(name, args) {
    super(greeter, name, { text: undefined, ...args });
  }
}

pulumi.runtime.registerResourceTransform(({ type, props, opts }) =>
  type === "aws:sqs/queue:Queue" ? { props: { ...props, tags: { ...props.tags, team: "iot" } }, opts } : undefined,
);

const greeting = new Greeting("greeting", { name: config.get("name") ?? "", tone: config.get("tone") ?? "kind" });
const queue = new aws.sqs.Queue(
  "tagged",
  { tags: { own: "yes" }, delaySeconds: 1 },
  {
    transforms: [
      ({ props, opts }) => ({ props: { ...props, delaySeconds: 7 }, opts: { ...opts, retainOnDelete: false } }),
    ],
  },
);

exports.text = greeting.text;
exports.id = greeting.id;
exports.tags = queue.tags;
exports.delay = queue.delaySeconds;
