import { randomInt } from "node:crypto";
import { sessionOf } from "../../../core/access/authorizer";
import type { Identity } from "../../../core/access/identity";
import type { AwsError } from "../../../core/errors";
import { actingFor } from "../../../lambda/acting";
import { accessDenied, roleNotAssumable } from "../errors";
import type { Mapping, PollerTools } from "./mapping";

/** The function's role, which Lambda reads a source as. */
export class SourceRole {
  /** As AWS calls these sessions, such as `awslambda_783_20180222015150438`. */
  private readonly sessionName: string;

  constructor(
    private readonly mapping: Mapping,
    private readonly tools: PollerTools,
  ) {
    const time = new Date(tools.host.clock.now()).toISOString().replace(/\D/g, "");
    this.sessionName = `awslambda_${randomInt(1000)}_${time}`;
  }

  /** The session to read as. Throws where the role has gone or trusts Lambda no more. */
  assume(): Identity {
    const { fn } = this.tools.invoker.find(this.mapping.config.FunctionArn!);
    const acting = actingFor(fn.arn, fn.latest.config.Role!, this.sessionName);
    if (this.tools.host.bus.access.checkTrust(acting)) throw accessDenied(roleNotAssumable().message);
    return sessionOf(acting);
  }

  /** Calls the listener when IAM has changed, so that what was refused may be allowed now. Returns what takes it back. */
  onChange(listener: () => void): () => void {
    return this.tools.host.bus.ready("iam")?.onChange(listener) ?? (() => {});
  }
}

/** Whether IAM refused something: it will go on so until somebody changes that. */
export const isDenied = ({ code }: AwsError): boolean => /^(AccessDenied|AuthorizationError)/.test(code);
