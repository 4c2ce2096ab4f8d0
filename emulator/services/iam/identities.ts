import { parseArn } from "../../core/arn";
import type { Ports } from "../../core/bus";
import type { PolicyDocument } from "../../core/policy";
import type { Account, Accounts, Entity, ManagedPolicy, Role } from "./state";

type IdentityPorts = Pick<Ports["iam"], "policiesOf" | "trustPolicy" | "managedPolicy" | "roles">;

/** What the emulator asks at each call: the policies of roles and users. */
export function identityPorts(accounts: Accounts): IdentityPorts {
  return {
    policiesOf(arn) {
      const found = find(accounts, arn);
      if (!found) return undefined;
      const { account, entity } = found;
      const groups = entity.kind === "user" ? groupsOf(account, entity.name) : [];
      return {
        policies: [entity, ...groups].flatMap((one) => policiesOf(account, one)),
        boundary: entity.boundary === undefined ? undefined : current(account.policy(entity.boundary)),
        tags: entity.tags,
      };
    },
    trustPolicy: (roleArn) => (find(accounts, roleArn)?.entity as Partial<Role> | undefined)?.trust?.parsed,
    managedPolicy(arn) {
      const owner = parseArn(arn)?.account;
      try {
        return owner === undefined ? undefined : current(accounts.of({ account: owner }).policy(arn));
      } catch {
        return undefined;
      }
    },
    *roles() {
      for (const account of accounts.all()) {
        for (const role of account.roles.values()) yield { arn: role.arn, policies: policiesOf(account, role) };
      }
    },
  };
}

function find(accounts: Accounts, text: string): { account: Account; entity: Entity } | undefined {
  const arn = parseArn(text);
  if (arn?.service !== "iam") return undefined;
  const account = accounts.of(arn);
  const name = arn.resource.slice(arn.resource.lastIndexOf("/") + 1).toLowerCase();
  const entities = arn.resource.startsWith("role/") ? account.roles : account.users;
  const entity: Entity | undefined = entities.get(name);
  return entity?.arn === text ? { account, entity } : undefined;
}

const groupsOf = (account: Account, userName: string) =>
  [...account.groups.values()].filter(({ members }) => members.has(userName));

const current = (policy: ManagedPolicy): PolicyDocument => policy.versions.get(policy.defaultVersion)!.document.parsed;

const policiesOf = (account: Account, { inline, attached }: Entity): PolicyDocument[] => [
  ...[...inline.values()].map(({ parsed }) => parsed),
  ...[...attached].map((arn) => current(account.policy(arn))),
];
