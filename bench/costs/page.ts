import { type Priced, prices } from "./prices";
import { type Part, parts, together, type Use } from "./workload";

const cost = (use: Use): number =>
  (Object.entries(use) as [Priced, number][]).reduce((sum, [name, count]) => sum + count * prices[name].dollars, 0);

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

/** The dearest first, each with its share; what is less than a cent together is left out. */
function shares(use: Use): string {
  const each = (Object.entries(use) as [Priced, number][])
    .map(([name, count]) => ({ unit: prices[name].unit, amount: count * prices[name].dollars }))
    .filter(({ amount }) => amount >= 0.005)
    .sort((a, b) => b.amount - a.amount);
  return each.map(({ unit, amount }) => `${unit} ${dollars(amount)}`).join("; ") || "nothing";
}

const row = ({ component, idle, million }: Pick<Part, "component" | "idle" | "million">) =>
  `| ${component} | ${dollars(cost(idle))} | ${dollars(cost(million))} |`;

const details = ({ component, assumed, idle, million }: Part) =>
  `### ${component}\nAssumed: ${assumed}.\n\n- a month idle: ${shares(idle)}\n- a million messages: ${shares(million)}`;

const whole = {
  component: "**all of it**",
  idle: together(...parts.map(({ idle }) => idle)),
  million: together(...parts.map(({ million }) => million)),
};

/** docs/costs.md, out of the prices and the workload. */
export function costsPage(): string {
  const list = Object.values(prices).map(({ dollars, unit, source }) => {
    const [count, of] = dollars < 0.001 && dollars * 1e6 >= 0.1 ? [1e6, "a million "] : [1, ""];
    return `| ${of}${unit} | $${Number((dollars * count).toPrecision(6))} | ${source} |`;
  });
  return `# What the stack costs

\`npm run costs\` writes this page out of [bench/costs](../bench/costs): list prices of us-east-1 in November 2026, US dollars, without any free tier. Other regions are up to a third dearer.

| what index.ts creates | a month idle | a million messages |
| --- | --- | --- |
${[...parts, whole].map(row).join("\n")}

Without devices by MQTT, \`iot\` false in the config takes the stream and its share away. Not counted: what is kept (DynamoDB $0.25 and S3 $0.023 a GB and month), traffic to the internet, traces of X-Ray beyond its free ones, alarms and the website where they are on.

## What is in it
${parts.map(details).join("\n\n")}

## Prices
| unit | price | source |
| --- | --- | --- |
${list.join("\n")}
`;
}
