import type { HttpBinding, OperationModel } from "./model";

/** An operation whose address fits a request, and what its path labels hold. */
export interface Match {
  readonly operation: OperationModel;
  readonly labels: Record<string, string>;
}

/** Finds the operation that a REST request addresses: method, path template and fixed query, most specific first. */
export class RestRouter {
  private readonly byMethod = new Map<string, { operation: OperationModel; http: HttpBinding }[]>();

  constructor(operations: Iterable<OperationModel>) {
    for (const operation of operations) {
      const { http } = operation;
      if (!http) continue;
      const list = this.byMethod.get(http.method) ?? [];
      list.push({ operation, http });
      this.byMethod.set(http.method, list);
    }
    for (const list of this.byMethod.values()) list.sort((a, b) => weight(b.http) - weight(a.http));
  }

  /** Every operation that fits, the most specific first. */
  *matches(method: string, path: string, query: URLSearchParams): Iterable<Match> {
    const parts = path.split("/").slice(1);
    if (parts.at(-1) === "") parts.pop();
    for (const { operation, http } of this.byMethod.get(method) ?? []) {
      if (!http.query.every(([name, value]) => query.has(name) && (value === "" || query.get(name) === value)))
        continue;
      const labels = matchPath(http, parts, path);
      if (labels) yield { operation, labels };
    }
  }
}

const weight = (http: HttpBinding) =>
  http.query.length * 1000 +
  http.segments.reduce((sum, segment) => sum + ("literal" in segment ? 10 : segment.greedy ? 0 : 1), 0);

function matchPath({ segments }: HttpBinding, parts: readonly string[], path: string) {
  const labels: Record<string, string> = {};
  const greedyAt = segments.findIndex((segment) => "label" in segment && segment.greedy);
  if (greedyAt < 0 ? segments.length !== parts.length : parts.length < segments.length) return undefined;
  const taken = greedyAt < 0 ? 0 : parts.length - segments.length + 1;
  for (const [index, segment] of segments.entries()) {
    const at = greedyAt >= 0 && index > greedyAt ? index + taken - 1 : index;
    if ("literal" in segment) {
      if (parts[at] !== segment.literal) return undefined;
    } else if (segment.greedy) {
      const last = index === segments.length - 1;
      // A key may end in "/", which is part of it.
      const tail = last && path.endsWith("/") ? "/" : "";
      labels[segment.label] = decode(parts.slice(at, at + taken).join("/") + tail);
    } else {
      if (parts[at] === "" || parts[at] === undefined) return undefined;
      labels[segment.label] = decode(parts[at]);
    }
  }
  return labels;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
