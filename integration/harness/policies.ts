/** A trust policy that lets `principal` assume the role. */
export const trustOf = (principal: object | string, rest: object = {}): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...rest }],
  });

/** An identity policy that allows one action. */
export const allowed = (action: string, resource = "*"): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: resource }] });

/** What an AWS SDK call was refused with; a test fails when the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<[name: string, message: string, status: number]> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return [name, message, $metadata?.httpStatusCode ?? 0];
  }
  throw new Error("the call was expected to be refused, and it succeeded");
}
