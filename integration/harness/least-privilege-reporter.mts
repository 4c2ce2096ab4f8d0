import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reporter } from "vitest/node";
import type { AccessNote } from "./access-notes";

interface Permission {
  granted: boolean;
  used: boolean;
  refused: boolean;
  elsewhere: boolean;
}

/**
 * After the tests: for each function of the components, what its role allows and no test has used, and what it asked for
 * and was refused. A component's permission counts as used when one of the programs under test uses it.
 */
export class LeastPrivilegeReporter implements Reporter {
  private readonly folder = mkdtempSync(join(tmpdir(), "least-privilege-"));

  onInit(): void {
    process.env.LEAST_PRIVILEGE_NOTES = this.folder;
  }

  onTestRunEnd(): void {
    const functions = new Map<string, Map<string, Permission>>();
    for (const file of readdirSync(this.folder)) {
      for (const note of JSON.parse(readFileSync(join(this.folder, file), "utf8")) as AccessNote[])
        add(functions, note);
    }
    rmSync(this.folder, { recursive: true });
    process.stdout.write(
      `\n${[...functions]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(describe)
        .join("\n")}\n`,
    );
    const unused = [...functions.values()].flatMap((permissions) => [...permissions.values()].filter(isUnused));
    process.stdout.write(
      functions.size === 0
        ? "\nNo program with a component was deployed.\n"
        : `\n${functions.size} roles, ${unused.length} permissions that no test used\n`,
    );
    if (functions.size === 0 || unused.length > 0) process.exitCode = 1;
  }
}

const isUnused = ({ granted, used, elsewhere }: Permission) => granted && !used && !elsewhere;

function add(functions: Map<string, Map<string, Permission>>, { who, action, resource, ...note }: AccessNote): void {
  const permissions = functions.get(who) ?? new Map<string, Permission>();
  functions.set(who, permissions);
  const key = `${action} on ${resource}`;
  const known = permissions.get(key) ?? { granted: false, used: false, refused: false, elsewhere: false };
  permissions.set(key, {
    granted: known.granted || note.granted,
    used: known.used || note.used,
    refused: known.refused || note.refused,
    elsewhere: known.elsewhere || note.elsewhere,
  });
}

function describe([who, permissions]: [string, Map<string, Permission>]): string {
  const named = (is: (permission: Permission) => boolean) =>
    [...permissions].filter(([, one]) => is(one)).map(([key]) => key);
  const granted = named((one) => one.granted);
  const lines = [`${who}: ${granted.length} ${granted.length === 1 ? "permission" : "permissions"}`];
  for (const key of named(isUnused)) lines.push(`  never used: ${key}`);
  for (const key of named(({ elsewhere, used }) => elsewhere && !used))
    lines.push(`  for AWS only, not asked for here: ${key}`);
  for (const key of named((one) => one.refused)) lines.push(`  asked for and refused: ${key}`);
  return lines.join("\n");
}
