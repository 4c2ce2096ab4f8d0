import { validation } from "../errors";
import type { Item } from "../values";
import { type Condition, ConditionResolver } from "./condition";
import { parseCondition } from "./condition-parser";
import { type Path, Projector, pathConflict } from "./paths";
import { Placeholders } from "./resolve";
import type { ConditionSyntax, PathStep, UpdateSyntax } from "./syntax";
import { resolveUpdate, type UpdateAction } from "./update";
import { parseProjection, parseUpdate } from "./update-parser";

/** Programs use few different expressions again and again; a program that writes values into them fills this and starts over. */
const cacheLimit = 2_000;

/** Remembers how texts parse; mistakes are found anew each time. */
class ParseCache<Syntax> {
  private readonly parsed = new Map<string, Syntax>();

  constructor(private readonly parse: (text: string, parameter: string) => Syntax) {}

  get(text: string, parameter: string): Syntax {
    let syntax = this.parsed.get(text);
    if (!syntax) {
      syntax = this.parse(text, parameter);
      if (this.parsed.size >= cacheLimit) this.parsed.clear();
      this.parsed.set(text, syntax);
    }
    return syntax;
  }
}

/** A resolved condition and the paths that it reads. */
export interface Filter {
  readonly condition: Condition;
  readonly paths: readonly Path[];
}

/** Parses the expressions of all requests of one service. */
export class Expressions {
  private readonly conditions = new ParseCache<ConditionSyntax>(parseCondition);
  private readonly updates = new ParseCache<UpdateSyntax[]>(parseUpdate);
  private readonly projections = new ParseCache<PathStep[][]>(parseProjection);

  /** The expressions of one request. Call {@link RequestExpressions.finish} when all of them were taken. */
  of(input: ExpressionInput): RequestExpressions {
    return new RequestExpressions(input, this.conditions, this.updates, this.projections);
  }
}

/** The members of a request that carry expressions and their placeholders. */
export interface ExpressionInput {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

/** Resolves the expressions of one request. */
export class RequestExpressions {
  private readonly placeholders: Placeholders;

  constructor(
    input: ExpressionInput,
    private readonly conditions: ParseCache<ConditionSyntax>,
    private readonly updates: ParseCache<UpdateSyntax[]>,
    private readonly projections: ParseCache<PathStep[][]>,
  ) {
    this.placeholders = new Placeholders(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  }

  condition(text: string | undefined, parameter: string): Filter | undefined {
    if (text === undefined) return undefined;
    const resolver = new ConditionResolver(this.placeholders, parameter);
    return { condition: resolver.condition(this.conditions.get(text, parameter)), paths: resolver.paths };
  }

  update(text: string | undefined): UpdateAction[] | undefined {
    return text === undefined
      ? undefined
      : resolveUpdate(this.updates.get(text, "UpdateExpression"), this.placeholders);
  }

  projection(text: string | undefined): Projector | undefined {
    if (text === undefined) return undefined;
    const parameter = "ProjectionExpression";
    const paths = this.projections.get(text, parameter).map((steps) => this.placeholders.path(steps, parameter));
    for (const [index, path] of paths.entries()) {
      for (const earlier of paths.slice(0, index)) {
        const conflict = pathConflict(earlier, path);
        if (conflict) throw validation(`Invalid ${parameter}: ${conflict}`);
      }
    }
    return new Projector(paths);
  }

  finish(): void {
    this.placeholders.finish();
  }
}
