/** Digits that AWS IoT SQL keeps of a Decimal or an Int. */
const precision = 34;
/** "a maximum magnitude 9.999…E999" (AWS IoT SQL data types). */
const greatestExponent = 999;

/** A JSON text that serializes as it is. */
export const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const power = (exponent: number) => 10n ** BigInt(exponent);
const digitsOf = (value: bigint) => (value < 0n ? -value : value).toString().length;

/** Divides, rounding half to even as Java's DECIMAL128 does. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  const size = twice < 0n ? -twice : twice;
  const limit = divisor < 0n ? -divisor : divisor;
  if (size < limit || (size === limit && quotient % 2n === 0n)) return quotient;
  return quotient + (dividend < 0n === divisor < 0n ? 1n : -1n);
}

/**
 * A decimal number, `coefficient * 10 ** exponent`, of up to 34 digits. Only numbers that a JavaScript number does not
 * hold exactly are Decimals; they serialize to JSON with all their digits.
 */
export class Decimal {
  constructor(
    readonly coefficient: bigint,
    readonly exponent: number,
  ) {}

  /** The number that a text holds; undefined when it is none or too large. */
  static parse(text: string): Decimal | undefined {
    const match = pattern.exec(text);
    if (!match) return undefined;
    const [, sign, whole = "", fraction = "", power = "0"] = match;
    if (!whole && !fraction) return undefined;
    const exponent = Number(power);
    if (Math.abs(exponent) > 100_000 || whole.length + fraction.length > 10_000) return undefined;
    const coefficient = BigInt(whole + fraction);
    return new Decimal(sign === "-" ? -coefficient : coefficient, exponent - fraction.length).rounded();
  }

  static of(value: number): Decimal {
    return Decimal.parse(String(value)) ?? new Decimal(0n, 0);
  }

  /** To 34 digits; undefined above 9.99E999, zero below 1E-999. */
  rounded(): Decimal | undefined {
    const excess = digitsOf(this.coefficient) - precision;
    const value =
      excess > 0 ? new Decimal(divideRounded(this.coefficient, power(excess)), this.exponent + excess) : this;
    const magnitude = value.exponent + digitsOf(value.coefficient) - 1;
    if (value.coefficient === 0n)
      return new Decimal(0n, Math.max(value.exponent, -precision) > 0 ? 0 : Math.max(value.exponent, -precision));
    if (magnitude > greatestExponent) return undefined;
    return magnitude < -greatestExponent ? new Decimal(0n, 0) : value;
  }

  /** The same value without trailing zeros. */
  stripped(): Decimal {
    if (this.coefficient === 0n) return new Decimal(0n, 0);
    let { coefficient, exponent } = this;
    while (coefficient % 10n === 0n) {
      coefficient /= 10n;
      exponent++;
    }
    return new Decimal(coefficient, exponent);
  }

  private aligned(other: Decimal): [bigint, bigint, number] {
    const exponent = Math.min(this.exponent, other.exponent);
    return [
      this.coefficient * power(this.exponent - exponent),
      other.coefficient * power(other.exponent - exponent),
      exponent,
    ];
  }

  compare(other: Decimal): number {
    const [left, right] = this.aligned(other);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  plus(other: Decimal): Decimal | undefined {
    const [left, right, exponent] = this.aligned(other);
    return new Decimal(left + right, exponent).rounded();
  }

  minus(other: Decimal): Decimal | undefined {
    return this.plus(new Decimal(-other.coefficient, other.exponent));
  }

  times(other: Decimal): Decimal | undefined {
    return new Decimal(this.coefficient * other.coefficient, this.exponent + other.exponent).rounded();
  }

  /** Undefined when `other` is zero. */
  dividedBy(other: Decimal): Decimal | undefined {
    if (other.coefficient === 0n) return undefined;
    const shift = Math.max(0, precision + 3 + digitsOf(other.coefficient) - digitsOf(this.coefficient));
    const scaled = this.coefficient * power(shift);
    const quotient = scaled / other.coefficient;
    // One more digit keeps what was cut off from looking like an exact half.
    const sticky =
      quotient * 10n +
      (scaled % other.coefficient === 0n ? 0n : this.coefficient < 0n === other.coefficient < 0n ? 1n : -1n);
    return new Decimal(sticky, this.exponent - other.exponent - shift - 1).rounded()?.stripped();
  }

  /** The remainder with the sign of the dividend, as Java has it; undefined when `other` is zero. */
  remainder(other: Decimal): Decimal | undefined {
    if (other.coefficient === 0n) return undefined;
    const [left, right, exponent] = this.aligned(other);
    return new Decimal(left % right, exponent).rounded();
  }

  get isWhole(): boolean {
    return this.exponent >= 0 || this.coefficient % power(-this.exponent) === 0n;
  }

  /** Cut off after `places` decimal places. */
  truncated(places = 0): Decimal {
    if (this.exponent >= -places) return this;
    return new Decimal(this.coefficient / power(-this.exponent - places), -places);
  }

  /** The whole number, cut off toward zero. */
  toBigInt(): bigint {
    const { coefficient, exponent } = this.truncated();
    return coefficient * power(exponent);
  }

  /** As Java's BigDecimal prints it, except that an Int of up to 34 digits is never in scientific notation. */
  toString(): string {
    const { coefficient, exponent } = this;
    const sign = coefficient < 0n ? "-" : "";
    const digits = (coefficient < 0n ? -coefficient : coefficient).toString();
    if (exponent >= 0 && digits.length + exponent <= precision) return sign + digits + "0".repeat(exponent);
    const magnitude = exponent + digits.length - 1;
    if (exponent < 0 && magnitude >= -6) {
      const padded = digits.padStart(1 - exponent, "0");
      return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
    }
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0]}${fraction}E${magnitude < 0 ? "" : "+"}${magnitude}`;
  }

  /** All digits reach the JSON text. */
  toJSON(): unknown {
    return rawJson(this.toString());
  }
}
