import type { Plain, PlainObject } from "../values";

interface Statement {
  sid?: string;
  effect?: string;
  actions?: string[];
  notActions?: string[];
  resources?: string[];
  notResources?: string[];
  principals?: Principal[];
  notPrincipals?: Principal[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

interface Principal {
  type: string;
  identifiers: string[];
}

/** AWS writes a list with one member as that member. */
const one = <T>(list: readonly T[] | undefined): T | readonly T[] | undefined =>
  list && list.length > 0 ? (list.length === 1 ? list[0] : list) : undefined;

function principals(list: Principal[] | undefined) {
  if (!list || list.length === 0) return undefined;
  if (list.some(({ type, identifiers }) => type === "*" && identifiers.includes("*"))) return "*";
  const result: Record<string, string[]> = {};
  for (const { type, identifiers } of list) result[type] = [...(result[type] ?? []), ...identifiers];
  return Object.fromEntries(Object.entries(result).map(([type, identifiers]) => [type, one(identifiers)]));
}

function conditions(list: Statement["conditions"]) {
  if (!list || list.length === 0) return undefined;
  const result: Record<string, Record<string, unknown>> = {};
  for (const { test, variable, values } of list) {
    result[test] ??= {};
    result[test][variable] = one(values);
  }
  return result;
}

const render = (statement: Statement) => ({
  Sid: statement.sid || undefined,
  Effect: statement.effect ?? "Allow",
  Principal: principals(statement.principals),
  NotPrincipal: principals(statement.notPrincipals),
  Action: one(statement.actions),
  NotAction: one(statement.notActions),
  Resource: one(statement.resources),
  NotResource: one(statement.notResources),
  Condition: conditions(statement.conditions),
});

type Rendered = ReturnType<typeof render>;

const statementsOf = (document: Plain): Rendered[] => {
  const { Statement = [] } = JSON.parse(String(document)) as { Statement?: Rendered | Rendered[] };
  return Array.isArray(Statement) ? Statement : [Statement];
};

/**
 * `aws.iam.getPolicyDocument`: statements as JSON. Source documents come first; a statement of an override document
 * takes the place of one with the same sid.
 */
export function policyDocument(args: PlainObject) {
  const sources = [args.sourceJson, ...((args.sourcePolicyDocuments as string[] | undefined) ?? [])].filter(Boolean);
  const overrides = [args.overrideJson, ...((args.overridePolicyDocuments as string[] | undefined) ?? [])].filter(
    Boolean,
  );
  let statements = [
    ...sources.flatMap(statementsOf),
    ...((args.statements as Statement[] | undefined) ?? []).map(render),
  ];
  for (const statement of overrides.flatMap(statementsOf)) {
    const at = statement.Sid ? statements.findIndex(({ Sid }) => Sid === statement.Sid) : -1;
    statements = at < 0 ? [...statements, statement] : statements.with(at, statement);
  }
  const document = { Version: args.version ?? "2012-10-17", Id: args.policyId, Statement: statements };
  const minifiedJson = JSON.stringify(document);
  return { id: hash(minifiedJson), json: JSON.stringify(document, undefined, 2), minifiedJson };
}

/** The real provider's id is a hash of the text too; only that it changes with the text counts. */
const hash = (text: string) => String([...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7));
