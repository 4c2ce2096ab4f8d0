import { InvalidInput } from "./errors";

export type SubnetType = "Public" | "Private" | "Isolated" | "Unused";

/** One of `subnetSpecs`: a subnet that each zone gets. */
export interface SubnetSpec {
  type: SubnetType;
  name?: string;
  cidrMask?: number;
  cidrBlocks?: string[];
  tags?: Record<string, string>;
  assignIpv6AddressOnCreation?: boolean;
}

/** A subnet as it will be made. */
export interface PlannedSubnet {
  spec: SubnetSpec;
  block: Block;
  /** The zone's place in the list. */
  zone: number;
}

/** A range of IPv4 addresses: its first one as a number, and the length of its prefix. */
export class Block {
  constructor(
    readonly first: number,
    readonly mask: number,
  ) {}

  /** Reads `10.0.0.0/16`; a text that is no such block is told under the name of its field. */
  static parse(text: unknown, field: string, [min, max]: readonly [number, number]): Block {
    const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(String(text));
    const [a = 0, b = 0, c = 0, d = 0, mask = 0] = (parts ?? []).slice(1).map(Number);
    const first = ((a * 256 + b) * 256 + c) * 256 + d;
    const valid = parts && [a, b, c, d].every((part) => part < 256) && mask >= min && mask <= max;
    if (!valid || first % 2 ** (32 - mask) !== 0) {
      throw new InvalidInput(
        `${field} must be an IPv4 block of /${min} to /${max} that begins at its first address, not ${JSON.stringify(text)}; use "10.0.0.0/${max < 24 ? max : min}"`,
      );
    }
    return new Block(first, mask);
  }

  get size(): number {
    return 2 ** (32 - this.mask);
  }

  get end(): number {
    return this.first + this.size;
  }

  /** The next block of another size that does not overlap this one. */
  next(mask: number): Block {
    const size = 2 ** (32 - mask);
    return new Block(Math.ceil(this.end / size) * size, mask);
  }

  overlaps(other: Block): boolean {
    return this.first < other.end && other.first < this.end;
  }

  toString(): string {
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(this.first / 2 ** shift) % 256);
    return `${bytes.join(".")}/${this.mask}`;
  }
}

/** Bits that number so many things. */
const bitsFor = (count: number) => Math.ceil(Math.log2(count));

/** The specs when the program gives none: the larger half of a zone is private, half of the rest is public. */
export function defaultSpecs(zoneMask: number): SubnetSpec[] {
  if (zoneMask > 26) {
    throw new InvalidInput(
      `cidrBlock leaves a /${zoneMask} for each zone, and automatic subnets need a /26; use a larger cidrBlock, fewer zones, or give subnetSpecs`,
    );
  }
  // Of a block larger than a /16 only the first /16 is handed out, so that there is room for more later.
  const mask = Math.max(zoneMask, 16);
  return [
    { type: "Private", cidrMask: mask + 1 },
    { type: "Public", cidrMask: mask + 2 },
  ];
}

/** The length of the prefix of a zone's share of the VPC. */
export const zoneMaskOf = (vpc: Block, zones: number, given?: number) => given ?? vpc.mask + bitsFor(zones);

/** Strategies "Auto" and "Exact": in each zone's share the specs in their order, without a size in equal parts. */
export function layOut(vpc: Block, zones: number, specs: SubnetSpec[], zoneMask: number): PlannedSubnet[] {
  const equal = zoneMask + bitsFor(specs.length);
  const sizeOf = ({ cidrMask = equal }: SubnetSpec) => 2 ** (32 - cidrMask);
  const [room, wanted] = [2 ** (32 - zoneMask), specs.reduce((sum, spec) => sum + sizeOf(spec), 0)];
  if (wanted > room) {
    throw new InvalidInput(
      `subnetSpecs need ${wanted} addresses in each zone, and its share of cidrBlock has ${room}; use a larger cidrBlock, longer cidrMasks or fewer zones`,
    );
  }
  return forEachZone(zones, (zone) => {
    let last = new Block(vpc.first + zone * room, 32);
    return specs.map((spec, i) => {
      const mask = spec.cidrMask ?? equal;
      last = i === 0 ? new Block(last.first, mask) : last.next(mask);
      return { spec, zone, block: last };
    });
  });
}

/** Blocks that the program computed itself: one for each zone. */
export function layOutExplicitly(zones: number, specs: SubnetSpec[]): PlannedSubnet[] {
  return forEachZone(zones, (zone) =>
    specs.map((spec, i) => {
      const block = Block.parse(spec.cidrBlocks?.[zone], `subnetSpecs[${i}].cidrBlocks[${zone}]`, [16, 28]);
      return { spec, zone, block };
    }),
  );
}

/** Largest prefix that a subnet without a size gets in the strategy "Legacy", in the order that it lays them out. */
const legacy: readonly [SubnetType, number][] = [
  ["Private", 19],
  ["Public", 20],
  ["Isolated", 24],
];

/** Strategy "Legacy": in each zone's share the private subnets, then the public ones, then the isolated ones. */
export function layOutAsLegacy(vpc: Block, zones: number, specs: SubnetSpec[]): PlannedSubnet[] {
  const zoneMask = zoneMaskOf(vpc, zones);
  return forEachZone(zones, (zone) => {
    const share = new Block(vpc.first + zone * 2 ** (32 - zoneMask), zoneMask);
    const planned: PlannedSubnet[] = [];
    for (const [type, widest] of legacy) {
      const base = planned.at(-1)?.block.end ?? share.first;
      for (const [i, spec] of specs.filter((candidate) => candidate.type === type).entries()) {
        const mask = spec.cidrMask ?? Math.max(zoneMask + (specs.length === 1 ? 0 : 1), widest);
        if (mask > 32) throw new InvalidInput(`cidrBlock is too small for ${zones} zones; use a larger one`);
        const size = 2 ** (32 - mask);
        // Counted from the end of the former type; where that would begin inside of a block, the next block is taken.
        const last = planned.at(-1)?.block;
        const at = new Block(Math.floor((base + i * size) / size) * size, mask);
        planned.push({ spec, zone, block: last?.overlaps(at) ? last.next(mask) : at });
      }
    }
    return planned;
  });
}

const forEachZone = (zones: number, plan: (zone: number) => PlannedSubnet[]) =>
  Array.from({ length: zones }, (_, zone) => plan(zone)).flat();

/** Refuses subnets that overlap or lie outside of the VPC. */
export function checkLayout(vpc: Block, subnets: PlannedSubnet[], nameOf: (subnet: PlannedSubnet) => string): void {
  for (const [i, subnet] of subnets.entries()) {
    const other = subnets.slice(0, i).find(({ block }) => block.overlaps(subnet.block));
    const what = `${nameOf(subnet)} (${subnet.block})`;
    const cure = "use a larger cidrBlock, smaller subnetSpecs or fewer zones";
    if (other) throw new InvalidInput(`subnetSpecs overlap: ${nameOf(other)} (${other.block}) and ${what}; ${cure}`);
    if (subnet.block.first < vpc.first || subnet.block.end > vpc.end) {
      throw new InvalidInput(`subnetSpecs: ${what} is outside of cidrBlock ${vpc}; ${cure}`);
    }
  }
}

/** Strategy "Exact": every address of the VPC must be spoken for. */
export function checkNoGaps(vpc: Block, subnets: PlannedSubnet[]): void {
  let at = vpc.first;
  for (const { block } of [...subnets].sort((a, b) => a.block.first - b.block.first)) {
    if (block.first !== at) break;
    at = block.end;
  }
  if (at === vpc.end) return;
  const gap = new Block(at, 32).toString().replace("/32", "");
  throw new InvalidInput(
    `subnetSpecs leave a gap in cidrBlock ${vpc} from ${gap} on, which subnetStrategy "Exact" does not allow; fill it with a spec of type "Unused", or use "Auto"`,
  );
}
