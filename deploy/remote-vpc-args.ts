import { InvalidInput } from "./errors";
import {
  Block,
  checkLayout,
  checkNoGaps,
  defaultSpecs,
  layOut,
  layOutAsLegacy,
  layOutExplicitly,
  type PlannedSubnet,
  type SubnetSpec,
  zoneMaskOf,
} from "./subnet-layout";
import type { PlainObject } from "./values";

const strategies = ["Legacy", "Auto", "AutoMerge", "Exact"] as const;
const types = ["Public", "Private", "Isolated", "Unused"] as const;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function oneOf<T extends string>(value: unknown, known: readonly T[], field: string, byDefault?: T): T {
  // The provider does not mind upper and lower case.
  const text = String(value ?? byDefault).toLowerCase();
  const found = known.find((name) => name.toLowerCase() === text);
  if (found) return found;
  throw new InvalidInput(
    `${field} must be one of ${known.map((name) => `"${name}"`).join(", ")}, not ${JSON.stringify(value)}`,
  );
}

function wholeNumber(value: unknown, field: string, [min, max]: readonly [number, number]): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new InvalidInput(`${field} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
}

/** The zones that the subnets go to. */
export function zonesOf(inputs: PlainObject, available: readonly string[]): string[] {
  const names = inputs.availabilityZoneNames;
  const count = wholeNumber(inputs.numberOfAvailabilityZones, "numberOfAvailabilityZones", [1, available.length]);
  if (names === undefined) return available.slice(0, count ?? 3);
  if (count !== undefined) {
    throw new InvalidInput("only one of availabilityZoneNames and numberOfAvailabilityZones can be given");
  }
  const given = list(names).map(String);
  if (given.length === 0) throw new InvalidInput("availabilityZoneNames must name one zone or more");
  const unknown = given.find((name) => !available.includes(name));
  if (unknown === undefined) return given;
  throw new InvalidInput(`availabilityZoneNames: there is no zone "${unknown}" here; use ${available.join(", ")}`);
}

function specsOf(inputs: PlainObject, zones: number): SubnetSpec[] | undefined {
  if (inputs.subnetSpecs === undefined) return undefined;
  const specs = list(inputs.subnetSpecs) as PlainObject[];
  if (specs.length === 0)
    throw new InvalidInput("subnetSpecs must hold one spec or more; leave it out for the default");
  const explicit = specs.some(({ cidrBlocks }) => cidrBlocks !== undefined);
  return specs.map((spec, i): SubnetSpec => {
    const field = `subnetSpecs[${i}]`;
    const type = oneOf(spec.type, types, `${field}.type`);
    const mask = wholeNumber(spec.cidrMask, `${field}.cidrMask`, type === "Unused" ? [1, 32] : [16, 28]);
    const size = wholeNumber(spec.size, `${field}.size`, [16, 65_536]);
    const bits = size === undefined ? undefined : 32 - Math.log2(size);
    if (bits !== undefined && !Number.isInteger(bits)) {
      throw new InvalidInput(`${field}.size must be a power of 2, not ${size}; use 256`);
    }
    if (mask !== undefined && bits !== undefined && mask !== bits) {
      throw new InvalidInput(`${field}.size ${size} is a /${bits}, and cidrMask says /${mask}; give one of them`);
    }
    const blocks = spec.cidrBlocks === undefined ? undefined : list(spec.cidrBlocks).map(String);
    if (explicit && blocks?.length !== zones) {
      throw new InvalidInput(
        `${field}.cidrBlocks must be ${zones} blocks, one for each zone, because a spec has cidrBlocks; it has ${blocks?.length ?? "none"}`,
      );
    }
    const cidrMask = mask ?? bits;
    const other = blocks?.find((block) => cidrMask !== undefined && !block.endsWith(`/${cidrMask}`));
    if (other) throw new InvalidInput(`${field}.cidrBlocks holds ${other}, which is not a /${cidrMask}`);
    return {
      ...{ type, cidrMask, cidrBlocks: blocks },
      name: spec.name as string | undefined,
      tags: spec.tags as Record<string, string> | undefined,
      assignIpv6AddressOnCreation: spec.assignIpv6AddressOnCreation as boolean | undefined,
    };
  });
}

/** Where the subnets go, by the strategy that the program asks for. */
export function plan(name: string, inputs: PlainObject, zones: readonly string[]): PlannedSubnet[] {
  if (inputs.ipv4IpamPoolId !== undefined && inputs.cidrBlock === undefined) {
    throw new InvalidInput("ipv4IpamPoolId needs an IPAM pool, which is not emulated; give cidrBlock as well");
  }
  const vpc = Block.parse(inputs.cidrBlock ?? "10.0.0.0/16", "cidrBlock", [16, 28]);
  const strategy = oneOf(inputs.subnetStrategy, strategies, "subnetStrategy", "Legacy");
  const specs = specsOf(inputs, zones.length);
  const given = wholeNumber(inputs.availabilityZoneCidrMask, "availabilityZoneCidrMask", [vpc.mask, 28]);
  const zoneMask = zoneMaskOf(vpc, zones.length, strategy === "Legacy" ? undefined : given);
  const planned = (() => {
    // Without specs, "Exact" is laid out as "Legacy" is, which for the default specs is the same as "Auto".
    if (!specs) return layOut(vpc, zones.length, defaultSpecs(zoneMask), zoneMask);
    if (strategy === "Legacy") return layOutAsLegacy(vpc, zones.length, specs);
    if (strategy === "AutoMerge") return layOut(vpc, zones.length, merged(specs, zoneMask), zoneMask);
    if (specs[0]?.cidrBlocks) return layOutExplicitly(zones.length, specs);
    return layOut(vpc, zones.length, specs, zoneMask);
  })();
  checkLayout(vpc, planned, (subnet) => subnetName(name, subnet));
  if (strategy === "Exact") checkNoGaps(vpc, planned);
  return planned;
}

function merged(specs: SubnetSpec[], zoneMask: number): SubnetSpec[] {
  const byDefault = defaultSpecs(zoneMask);
  for (const [i, { type, cidrBlocks }] of specs.entries()) {
    if (cidrBlocks) throw new InvalidInput(`subnetSpecs[${i}].cidrBlocks cannot go with "AutoMerge"; use "Auto"`);
    const twice = specs.findIndex((spec) => spec.type === type) !== i;
    if (twice || !byDefault.some((spec) => spec.type === type)) {
      throw new InvalidInput(
        `subnetSpecs[${i}].type: "AutoMerge" changes the default layout, which has one private and one public subnet; use "Auto"`,
      );
    }
  }
  return byDefault.map((spec) => {
    const own = specs.find(({ type }) => type === spec.type);
    return { ...spec, ...own, cidrMask: own?.cidrMask ?? spec.cidrMask };
  });
}

/** The name of a subnet and of all that belongs to it. */
export const subnetName = (name: string, { spec, zone }: PlannedSubnet) =>
  `${name}-${spec.name ?? spec.type.toLowerCase()}-${zone + 1}`;

/** How many NAT gateways there are, and the addresses that the program brings for them. */
export function natOf(inputs: PlainObject, planned: PlannedSubnet[], zones: number) {
  const { strategy: wanted, elasticIpAllocationIds } = (inputs.natGateways ?? {}) as PlainObject;
  const field = "natGateways.strategy";
  const strategy = oneOf(wanted, ["None", "Single", "OnePerAz"], field, "OnePerAz");
  const allocationIds = list(elasticIpAllocationIds).map(String);
  const gateways = strategy === "None" ? 0 : strategy === "Single" ? 1 : zones;
  if (allocationIds.length > 0 && allocationIds.length !== gateways) {
    throw new InvalidInput(
      `natGateways.elasticIpAllocationIds must be ${gateways} for the strategy "${strategy}", not ${allocationIds.length}`,
    );
  }
  const has = (type: string) => planned.some(({ spec }) => spec.type === type);
  if (gateways > 0 && !(has("Public") && has("Private"))) {
    throw new InvalidInput(
      `${field} "${strategy}" needs private subnets, which call out, and public ones, which hold the gateways; add both to subnetSpecs, or use "None"`,
    );
  }
  return { gateways, allocationIds };
}

/** How endpoints are made, and the ones to make. */
export function endpointsOf(inputs: PlainObject): { auto: boolean; specs: PlainObject[] } {
  const auto = oneOf(inputs.vpcEndpointStrategy, ["Legacy", "Auto"], "vpcEndpointStrategy", "Legacy") === "Auto";
  const specs = list(inputs.vpcEndpointSpecs) as PlainObject[];
  for (const [i, { serviceName }] of specs.entries()) {
    if (typeof serviceName === "string" && serviceName) continue;
    const use = 'use "com.amazonaws.eu-west-1.s3"';
    throw new InvalidInput(`vpcEndpointSpecs[${i}].serviceName must be the name of an endpoint service; ${use}`);
  }
  return { auto, specs };
}

/** What follows `Name` tags of a zone's things: its number, or its own suffix such as `1a`. */
export function zoneSuffixes(inputs: PlainObject, zones: readonly string[]): string[] {
  const known = ["Legacy", "AvailabilityZone"] as const;
  const strategy = oneOf(inputs.subnetNameTagStrategy, known, "subnetNameTagStrategy", "Legacy");
  if (strategy === "Legacy") return zones.map((_, i) => String(i + 1));
  return zones.map((zone) => zone.replace(/^[a-z]{2}(-[a-z]+)+-/, ""));
}
