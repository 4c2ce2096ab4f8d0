import type { Authorizer, Integration, Method, RequestValidator } from "@aws-sdk/client-api-gateway";
import { compileSchema, type Validate } from "../../../core/gateway/json-schema";
import { settingKey } from "../operations/stages";
import type { ApiDefinition, StoredResource } from "../state";

/** A method that a deployment serves, with everything looked up that does not change from request to request. */
export interface Route {
  readonly resource: StoredResource;
  readonly method: Method;
  readonly integration: Integration;
  readonly authorizer?: Authorizer & { id: string };
  readonly validator?: RequestValidator;
  /** `pets/GET`: where the stage keeps this method's settings. */
  readonly settingKey: string;
  /** `/pets/GET`: where a usage plan keeps this method's throttle. */
  readonly planKey: string;
  /** Names of required parameters by where they are. */
  readonly required: readonly { readonly location: string; readonly name: string }[];
  /** Body checks by content type; undefined where the model cannot be read. */
  readonly models: Readonly<Record<string, Validate | undefined>>;
}

interface Node {
  readonly statics: Map<string, Node>;
  variable?: { name: string; node: Node };
  greedy?: { name: string; node: Node };
  readonly routes: Map<string, Route>;
}

export interface Match {
  readonly route: Route;
  readonly pathParameters: Record<string, string> | null;
}

const newNode = (): Node => ({ statics: new Map(), routes: new Map() });

/** The paths and methods of one deployment, ready to be matched. */
export class Router {
  private readonly root = newNode();

  constructor(readonly definition: ApiDefinition) {
    for (const resource of definition.resources) {
      const node = this.nodeFor(resource.path);
      for (const [verb, method] of Object.entries(resource.resourceMethods))
        node.routes.set(verb, this.route(resource, verb, method));
    }
  }

  /**
   * The method for a path: a static part wins over `{name}`, which wins over `{name+}`, then the verb over ANY.
   *
   * @param path still percent-encoded; path parameters are given as sent, as AWS does.
   */
  match(verb: string, path: string): Match | undefined {
    const segments = path.split("/").slice(1);
    if (segments.at(-1) === "") segments.pop();
    const captured: [string, string][] = [];
    const route = find(this.root, segments, 0, verb, captured);
    return route && { route, pathParameters: captured.length ? Object.fromEntries(captured) : null };
  }

  private nodeFor(path: string): Node {
    let node = this.root;
    for (const part of path.split("/").filter(Boolean)) {
      const variable = /^\{(.+?)(\+?)\}$/.exec(part);
      if (!variable) {
        let next = node.statics.get(part);
        if (!next) {
          next = newNode();
          node.statics.set(part, next);
        }
        node = next;
        continue;
      }
      const kind = variable[2] ? "greedy" : "variable";
      node[kind] ??= { name: variable[1]!, node: newNode() };
      node = node[kind]!.node;
    }
    return node;
  }

  private route(resource: StoredResource, verb: string, method: Method): Route {
    const { authorizers, validators, models } = this.definition;
    return {
      resource,
      method,
      integration: method.methodIntegration ?? { type: "MOCK" },
      authorizer: authorizers.find(({ id }) => id === method.authorizerId),
      validator: validators.find(({ id }) => id === method.requestValidatorId),
      settingKey: settingKey([resource.path, verb]),
      planKey: `${resource.path}/${verb}`,
      required: Object.entries(method.requestParameters ?? {}).flatMap(([parameter, isRequired]) => {
        const match = /^method\.request\.([^.]+)\.(.+)$/.exec(parameter);
        return isRequired && match ? [{ location: match[1]!, name: match[2]! }] : [];
      }),
      models: Object.fromEntries(
        Object.entries(method.requestModels ?? {}).map(([type, name]) => [
          type,
          compileSchema(name, (wanted) => models.find((model) => model.name === wanted)?.schema),
        ]),
      ),
    };
  }
}

function find(
  node: Node,
  segments: readonly string[],
  index: number,
  verb: string,
  captured: [string, string][],
): Route | undefined {
  if (index === segments.length) return node.routes.get(verb) ?? node.routes.get("ANY");
  const segment = segments[index]!;
  const next = node.statics.get(segment) ?? node.statics.get(decoded(segment));
  const fixed = next && find(next, segments, index + 1, verb, captured);
  if (fixed) return fixed;
  if (node.variable && segment !== "") {
    captured.push([node.variable.name, segment]);
    const found = find(node.variable.node, segments, index + 1, verb, captured);
    if (found) return found;
    captured.pop();
  }
  if (node.greedy) {
    const { routes } = node.greedy.node;
    const route = routes.get(verb) ?? routes.get("ANY");
    if (route) captured.push([node.greedy.name, segments.slice(index).join("/")]);
    return route;
  }
  return undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
