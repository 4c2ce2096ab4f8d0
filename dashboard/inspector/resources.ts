import { byId, make, write } from "../shared/elements";
import type { Resource } from "./api";
import { counted } from "./format";
import { ask } from "./server";

/** `aws:sqs/queue:Queue` as "SQS queue", `sensorcast:index:Postbox` as "Postbox". */
function kindOf(type: string): string {
  const [, module = "", name = ""] = type.split(":");
  const service = module.split("/")[0] ?? "";
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/\bapi\b/, "API");
  return type.startsWith("aws:") ? `${services[service] ?? service} ${words}` : name;
}

const services: Readonly<Record<string, string>> = {
  apigateway: "API Gateway",
  apigatewayv2: "API Gateway",
  cloudwatch: "CloudWatch",
  dynamodb: "DynamoDB",
  iam: "IAM",
  iot: "IoT",
  kinesis: "Kinesis",
  lambda: "Lambda",
  s3: "S3",
  sns: "SNS",
  sqs: "SQS",
};

/** What there is, and of what there could be the first, where there is nothing. */
function countsText(counts: Resource["counts"] = {}): string {
  const all = Object.entries(counts);
  const some = all.filter(([, count]) => count > 0);
  return (some.length > 0 ? some : all.slice(0, 1)).map(([word, count]) => `${count} ${word}`).join(", ");
}

interface Line {
  readonly element: HTMLElement;
  readonly counts: HTMLElement;
  readonly words: string;
}

function line({ name, type, id, recorded }: Resource): Line {
  const counts = make("span", { class: "counts" });
  const badge = make("span", { class: "badge" }, "recorded, not emulated");
  badge.hidden = !recorded;
  const element = make(
    "li",
    {},
    make("b", {}, name),
    make("span", { class: "quiet" }, kindOf(type)),
    counts,
    badge,
    make("code", { class: "quiet" }, id ?? ""),
  );
  return { element, counts, words: `${name} ${type} ${kindOf(type)}`.toLowerCase() };
}

/** A component with its resources: what counts something above, what only holds it together folded below. */
interface Group {
  readonly element: HTMLDetailsElement;
  readonly rest: HTMLDetailsElement;
  readonly lines: readonly Line[];
}

/** The resources of the stack by component, with what is in them. */
export class ResourcesPanel {
  private readonly lines = new Map<string, Line>();
  private groups: readonly Group[] = [];
  private readonly find = byId<HTMLInputElement>("find");

  constructor(private readonly loaded: (resources: readonly Resource[]) => void) {
    this.find.addEventListener("input", () => this.filter());
  }

  async refresh(): Promise<void> {
    const resources = await ask<Resource[]>("resources");
    if (this.lines.size === 0) {
      this.draw(resources);
      this.loaded(resources);
    }
    for (const { urn, counts } of resources) {
      const line = this.lines.get(urn);
      if (!line) continue;
      write(line.counts, countsText(counts));
      line.counts.classList.toggle(
        "quiet",
        Object.values(counts ?? {}).every((count) => count === 0),
      );
    }
  }

  private draw(resources: readonly Resource[]): void {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const isComponent = ({ type }: Resource) => !type.startsWith("aws:");
    /** The outermost component around a resource. */
    const outermost = (resource: Resource): Resource | undefined => {
      const parent = byUrn.get(resource.parent ?? "");
      return parent ? outermost(parent) : isComponent(resource) ? resource : undefined;
    };
    const members = new Map<Resource | undefined, Resource[]>();
    for (const resource of resources) {
      if (isComponent(resource)) continue;
      const component = outermost(resource);
      const known = members.get(component);
      if (known) known.push(resource);
      else members.set(component, [resource]);
    }
    const outside = members.get(undefined);
    members.delete(undefined);
    this.groups = [...members, ...(outside ? [[undefined, outside] as const] : [])].map(([component, inside]) =>
      this.group(component, inside),
    );
    byId("resources").replaceChildren(...this.groups.map(({ element }) => element));
    this.filter();
  }

  private group(component: Resource | undefined, inside: readonly Resource[]): Group {
    const [shown, folded] = [inside.filter(({ counts }) => counts), inside.filter(({ counts }) => !counts)];
    const made = (resource: Resource) => {
      const one = line(resource);
      this.lines.set(resource.urn, one);
      return one;
    };
    const [above, below] = [shown.map(made), folded.map(made)];
    const list = (lines: readonly Line[]) => make("ul", {}, ...lines.map(({ element }) => element));
    const summary = `${below.length}${above.length > 0 ? " more" : ""} that ${component ? "hold it together" : "all share"}`;
    const rest = make("details", {}, make("summary", { class: "quiet" }, summary), list(below));
    rest.hidden = below.length === 0;
    const title = component
      ? [make("h2", {}, component.name), " ", make("span", { class: "quiet" }, kindOf(component.type))]
      : [make("h2", {}, "Outside of components")];
    const element = make(
      "details",
      { class: "card group", open: "" },
      make("summary", {}, ...title),
      list(above),
      rest,
    );
    return { element, rest, lines: [...above, ...below] };
  }

  /** Shows what has the words in its name or type. */
  private filter(): void {
    const words = this.find.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const { element, rest, lines } of this.groups) {
      let found = 0;
      for (const one of lines) {
        const isWanted = words.every((word) => one.words.includes(word));
        one.element.hidden = !isWanted;
        if (isWanted) found++;
      }
      element.hidden = found === 0;
      if (this.find.value.trim() !== "") rest.open = true;
      count += found;
    }
    write(byId("resource-count"), counted(count, "resource"));
  }
}
