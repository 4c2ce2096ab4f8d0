import { TemplateEngine } from "../../../core/gateway/templates";
import type { Call } from "./call";
import { contextOf, noOverrides, type Overrides } from "./context";

/** The result of a template: its text and what it overrode. */
export interface Rendered extends Overrides {
  readonly text: string;
}

/** Renders the mapping templates of one deployment for calls. */
export class Templates {
  private readonly engine = new TemplateEngine();

  /**
   * @param body `$input.body` and what `$input.json` and `$input.path` read.
   * @throws Error when the template or what it calls fails; the caller answers 500.
   */
  render(template: string, call: Call, body: string): Rendered {
    const overrides = noOverrides();
    const text = this.engine.render(template, body, {
      context: contextOf(call, overrides),
      stageVariables: call.stage?.variables ?? {},
      parameters: {
        path: { ...call.pathParameters },
        querystring: { ...call.queryParameters?.single },
        header: { ...call.headers },
      },
    });
    return { text, ...overrides };
  }
}
