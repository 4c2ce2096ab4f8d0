import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPolicy } from "../emulator/core/policy";
import { evaluate } from "../emulator/core/policy-evaluation";
import { readIdentityPolicy } from "../emulator/core/policy-kinds";
import { matches } from "../emulator/core/policy-patterns";
import { variable } from "./harness/devices";

const policy = (...statements: object[]) =>
  readIdentityPolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }));
const messages = {
  ...{ json: "", syntax: "", version: "", noStatement: "", noEffect: "", duplicateSid: "" },
  effect: () => "",
};
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::box/*" };
const request = { action: "s3:GetObject", resource: "arn:aws:s3:::box/a/b.txt" };
const when = (condition: object, context: Record<string, string[]>) =>
  evaluate(policy({ ...allow, Condition: condition }), { ...request, context });

describe("a policy", () => {
  it("says nothing where no statement matches, and Deny wins over Allow in any order", () => {
    const deny = { ...allow, Effect: "Deny" };
    expect(evaluate(policy(allow), request)).toBe("Allow");
    expect(evaluate(policy(allow, deny), request)).toBe("Deny");
    expect(evaluate(policy(deny, allow), request)).toBe("Deny");
    expect(evaluate(policy(allow), { ...request, action: "s3:PutObject" })).toBeUndefined();
    expect(evaluate(policy(allow), { ...request, resource: "arn:aws:s3:::other/a" })).toBeUndefined();
  });

  it("matches actions without regard to case and resources with it", () => {
    expect(evaluate(policy({ ...allow, Action: "S3:get*" }), request)).toBe("Allow");
    expect(evaluate(policy(allow), { ...request, resource: "arn:aws:s3:::BOX/a" })).toBeUndefined();
  });

  it("does not let a star in one part of an ARN reach into the next", () => {
    const send = { Effect: "Allow", Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-*:000000000000:jobs" };
    const ask = (resource: string) => evaluate(policy(send), { action: "sqs:SendMessage", resource });
    expect(ask("arn:aws:sqs:eu-west-1:000000000000:jobs")).toBe("Allow");
    expect(ask("arn:aws:sqs:eu-west-1:111111111111:x:000000000000:jobs")).toBeUndefined();
  });

  it("turns NotAction and NotResource around", () => {
    const most = { Effect: "Allow", NotAction: ["iam:*"], NotResource: "arn:aws:s3:::secret/*" };
    expect(evaluate(policy(most), request)).toBe("Allow");
    expect(evaluate(policy(most), { ...request, action: "iam:GetRole" })).toBeUndefined();
    expect(evaluate(policy(most), { ...request, resource: "arn:aws:s3:::secret/x" })).toBeUndefined();
  });

  it("fills in policy variables", () => {
    const home = policy({ ...allow, Resource: `arn:aws:s3:::box/${variable("aws:username")}/*` });
    const context = { "aws:username": ["ann"] };
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box/ann/x", context })).toBe("Allow");
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box/ben/x", context })).toBeUndefined();
  });

  it("matches nothing with a variable that has no value, or several, not even its own text", () => {
    const resource = `arn:aws:s3:::box/${variable("aws:username")}/x`;
    const home = policy({ ...allow, Resource: `arn:aws:s3:::box/${variable("aws:username")}/*` });
    expect(evaluate(home, { ...request, resource })).toBeUndefined();
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box//x" })).toBeUndefined();
    const several = { "aws:username": ["ann", "ben"] };
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box/ann/x", context: several })).toBeUndefined();
  });

  it("takes a variable's default where it has no value", () => {
    const home = policy({ ...allow, Resource: `arn:aws:s3:::box/${variable("aws:PrincipalTag/team, 'none'")}/*` });
    const of = (team: string, context?: Record<string, string[]>) =>
      evaluate(home, { ...request, resource: `arn:aws:s3:::box/${team}/x`, context });
    expect(of("none")).toBe("Allow");
    expect(of("none", { "aws:PrincipalTag/team": ["blue"] })).toBeUndefined();
    expect(of("blue", { "aws:PrincipalTag/team": ["blue"] })).toBe("Allow");
  });

  it("takes wildcards of values, and those written as variables, for themselves", () => {
    const tricky = { "aws:username": ["*"] };
    const home = policy({ ...allow, Resource: `arn:aws:s3:::box/${variable("aws:username")}` });
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box/ben", context: tricky })).toBeUndefined();
    expect(evaluate(home, { ...request, resource: "arn:aws:s3:::box/*", context: tricky })).toBe("Allow");
    const star = policy({ ...allow, Resource: `arn:aws:s3:::box/a${variable("*")}b` });
    expect(evaluate(star, { ...request, resource: "arn:aws:s3:::box/a*b" })).toBe("Allow");
    expect(evaluate(star, { ...request, resource: "arn:aws:s3:::box/axb" })).toBeUndefined();
  });

  it("of the first version of the language knows no variables", () => {
    const Statement = [{ ...allow, Principal: "*", Resource: `arn:aws:s3:::box/${variable("aws:username")}` }];
    const of = (Version: string) => readPolicy(JSON.stringify({ Version, Statement }), messages);
    const ask = (Version: string, key: string) =>
      evaluate(of(Version), {
        ...request,
        resource: `arn:aws:s3:::box/${key}`,
        context: { "aws:username": ["ann"] },
        principal: { kind: "AWS", name: "arn:aws:iam::000000000000:user/ann", account: "000000000000" },
      });
    expect([ask("2012-10-17", "ann"), ask("2008-10-17", "ann")]).toEqual(["Allow", undefined]);
    expect(ask("2008-10-17", variable("aws:username"))).toBe("Allow");
  });

  it("completes an ARN that has too few parts", () => {
    const Statement = [{ ...allow, Principal: "*", Resource: "arn:aws:s3" }];
    const short = readPolicy(JSON.stringify({ Statement }), messages);
    expect(evaluate(short, request)).toBe("Allow");
    expect(evaluate(short, { ...request, resource: "arn:aws:sqs:eu-west-1:000000000000:jobs" })).toBeUndefined();
  });

  it("of a resource speaks of nobody where it names nobody", () => {
    const nobody = readPolicy(JSON.stringify({ Statement: [allow] }), messages);
    const principal = { kind: "AWS", name: "arn:aws:iam::000000000000:user/ann", account: "000000000000" } as const;
    expect(evaluate(nobody, { ...request, principal })).toBeUndefined();
  });

  it("speaks to a service, an account, a role and its sessions as its principals say", () => {
    const role = "arn:aws:iam::000000000000:role/worker";
    const of = (Principal: object | string) =>
      readPolicy(JSON.stringify({ Statement: [{ ...allow, Principal }] }), messages);
    const session = {
      kind: "AWS",
      name: "arn:aws:sts::000000000000:assumed-role/worker/1",
      account: "000000000000",
      roleArn: role,
    } as const;
    const service = { kind: "Service", name: "lambda.amazonaws.com" } as const;
    const asks = (principals: object | string, principal: typeof session | typeof service) =>
      evaluate(of(principals), { ...request, principal });
    expect(asks({ AWS: role }, session)).toBe("Allow");
    expect(asks({ AWS: "000000000000" }, session)).toBe("Allow");
    expect(asks({ AWS: "arn:aws:iam::000000000000:root" }, session)).toBe("Allow");
    expect(asks("*", session)).toBe("Allow");
    expect(asks({ AWS: "111111111111" }, session)).toBeUndefined();
    expect(asks({ Service: "lambda.amazonaws.com" }, session)).toBeUndefined();
    expect(asks({ Service: ["sqs.amazonaws.com", "lambda.amazonaws.com"] }, service)).toBe("Allow");
    expect(asks({ AWS: "000000000000" }, service)).toBeUndefined();
  });
});

describe("a condition", () => {
  it.each([
    [{ StringEquals: { "aws:x": ["a", "b"] } }, ["b"], ["c"]],
    [{ StringNotEquals: { "aws:x": "a" } }, ["b"], ["a"]],
    [{ StringEqualsIgnoreCase: { "aws:x": "ABC" } }, ["abc"], ["abcd"]],
    [{ StringLike: { "AWS:X": "a*c?" } }, ["abbbcd"], ["abc"]],
    [{ StringNotLike: { "aws:x": "a*" } }, ["ba"], ["ab"]],
    [{ NumericLessThanEquals: { "aws:x": 10 } }, ["10"], ["11"]],
    [{ DateGreaterThan: { "aws:x": "2026-01-01T00:00:00Z" } }, ["2026-06-01T00:00:00Z"], ["2025-06-01T00:00:00Z"]],
    [{ Bool: { "aws:x": true } }, ["true"], ["false"]],
    [{ IpAddress: { "aws:x": "10.1.0.0/16" } }, ["10.1.200.7"], ["10.2.0.1"]],
    [{ NotIpAddress: { "aws:x": "10.1.0.0/16" } }, ["10.2.0.1"], ["10.1.0.1"]],
    [{ IpAddress: { "aws:x": "2001:db8::/32" } }, ["2001:db8:1::5"], ["2001:db9::1"]],
    [{ ArnLike: { "aws:x": "arn:aws:sns:*:*:news-*" } }, ["arn:aws:sns:eu-west-1:1:news-a"], ["arn:aws:sns:a:b:c"]],
    [{ Null: { "aws:x": "false" } }, ["anything"], undefined],
    [{ "ForAllValues:StringEquals": { "aws:x": ["a", "b"] } }, ["a", "b"], ["a", "c"]],
    [{ "ForAnyValue:StringEquals": { "aws:x": ["a", "b"] } }, ["c", "a"], ["c", "d"]],
  ])("%j holds for %j and not for %j", (condition, good, bad) => {
    expect(when(condition, { "aws:x": good })).toBe("Allow");
    expect(when(condition, bad ? { "aws:x": bad } : {})).toBeUndefined();
  });

  it("on a key that the request does not have fails, unless it is negated or ends in IfExists", () => {
    expect(when({ StringEquals: { "aws:x": "a" } }, {})).toBeUndefined();
    expect(when({ StringNotEquals: { "aws:x": "a" } }, {})).toBe("Allow");
    expect(when({ StringEqualsIfExists: { "aws:x": "a" } }, {})).toBe("Allow");
  });

  it("on all values holds for none of them, and on any value for none of them never", () => {
    expect(when({ "ForAllValues:StringEquals": { "aws:x": "a" } }, {})).toBe("Allow");
    expect(when({ "ForAnyValue:StringEquals": { "aws:x": "a" } }, {})).toBeUndefined();
    expect(when({ "ForAnyValue:StringNotEquals": { "aws:x": "a" } }, {})).toBeUndefined();
  });

  it("with a variable that has no value is met by nothing, and where it is negated by everything", () => {
    const team = variable("aws:PrincipalTag/team");
    for (const x of [team, ""]) expect(when({ StringEquals: { "aws:x": team } }, { "aws:x": [x] })).toBeUndefined();
    expect(when({ StringNotEquals: { "aws:x": team } }, { "aws:x": ["blue"] })).toBe("Allow");
  });

  it("on addresses holds for none in a range that is none", () => {
    expect(when({ IpAddress: { "aws:x": "10.0.0.0/many" } }, { "aws:x": ["10.0.0.1"] })).toBeUndefined();
  });
});

it("a pattern without wildcards matches itself and nothing else, whatever characters it has", () => {
  const plain = fc.string().filter((text) => !/[*?]/.test(text));
  fc.assert(fc.property(plain, plain, (a, b) => matches(a, a) && matches(a, b) === (a === b)));
});
