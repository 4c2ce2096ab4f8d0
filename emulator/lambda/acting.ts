import type { ActingService } from "../core/access/authorizer";
import { parseArn } from "../core/arn";

/**
 * Lambda as the role of a function.
 *
 * @param functionArn without qualifier.
 * @param sessionName the function's name unless told: that is what the calls of its code are signed with.
 */
export function actingFor(functionArn: string, roleArn: string, sessionName?: string): ActingService {
  const { account, resource } = parseArn(functionArn)!;
  return {
    roleArn,
    service: "lambda.amazonaws.com",
    sessionName: sessionName ?? resource.split(":")[1]!,
    sourceArn: functionArn,
    sourceAccount: account,
  };
}
