import { limits } from "../../core/limits";
import { validation } from "./errors";

/**
 * A decimal number taken apart: sign × 0.digits × 10^point, without leading or trailing zeros in `digits`.
 * Zero has no digits.
 */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly point: number;
}

/** DynamoDB keeps 38 significant digits, magnitudes 1E-130 to 9.99E125 (developer guide, "Supported data types"). */
const maxDigits = limits.dynamodb.digits.value;
const maxPoint = 126;
const minPoint = -129;

/** What most numbers look like; these are normal already and fit a double exactly. */
const plainInteger = /^(?:0|-?[1-9]\d{0,14})$/;
const decimalText = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

/** Text of at most this length without an exponent has so few digits that doubles keep the order. */
const doubleSafeLength = 15;

/**
 * The text that DynamoDB gives back for a number: no exponent, no leading or trailing zeros.
 *
 * @throws AwsError ValidationException when the text is no number or outside of what DynamoDB keeps.
 */
export function normaliseNumber(text: string): string {
  if (plainInteger.test(text)) return text;
  return format(limited(parse(text)));
}

/** Below, equal or above zero as `a` is less than, equal to or greater than `b`; both normalised. */
export function compareNumbers(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length <= doubleSafeLength && b.length <= doubleSafeLength) return Number(a) - Number(b);
  const x = sortableNumber(a);
  const y = sortableNumber(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The exact sum (or difference) of two normalised numbers, normalised. */
export function addNumbers(a: string, b: string, subtract = false): string {
  if (plainInteger.test(a) && plainInteger.test(b))
    return String(subtract ? Number(a) - Number(b) : Number(a) + Number(b));
  const x = parseNormal(a);
  const y = parseNormal(b);
  const fraction = Math.max(x.digits.length - x.point, y.digits.length - y.point, 0);
  const sum = subtract ? scaled(x, fraction) - scaled(y, fraction) : scaled(x, fraction) + scaled(y, fraction);
  const negative = sum < 0n;
  const digits = String(negative ? -sum : sum);
  return format(limited(strip(negative, digits, digits.length - fraction)));
}

/** A text whose order by UTF-16 units is the order of the numbers, which are normalised. */
export function sortableNumber(text: string): string {
  const { negative, digits, point } = parseNormal(text);
  if (digits === "") return "1";
  if (!negative) return `2${String.fromCharCode(0x200 + point)}${digits}`;
  let complement = "";
  for (let i = 0; i < digits.length; i++) complement += String(57 - digits.charCodeAt(i));
  // Ends above every digit: the shorter of two negative numbers with one prefix is the greater.
  return `0${String.fromCharCode(0x200 - point)}${complement}~`;
}

/**
 * Bytes that a normalised number counts for: a byte for every two digits of its base-100 form, one more,
 * and one for a minus sign.
 */
export function numberSize(text: string): number {
  const { negative, digits, point } = parseNormal(text);
  if (digits === "") return 1;
  // An odd number of digits before the decimal point leaves half a base-100 digit at the front.
  const front = point % 2 === 0 ? 0 : 1;
  return 1 + Math.ceil((digits.length + front) / 2) + (negative ? 1 : 0);
}

function parse(text: string): Decimal {
  const match = decimalText.exec(text);
  const whole = match?.[2] ?? "";
  const fraction = match?.[3] ?? "";
  if (!match || whole + fraction === "") {
    throw validation(`The parameter cannot be converted to a numeric value${text === "" ? "" : `: ${text}`}`);
  }
  return strip(match[1] === "-", whole + fraction, whole.length + Number(match[4] ?? 0));
}

/** {@link parse} for a normalised number, which has no exponent and no mistakes: cheaper, for every read and write. */
function parseNormal(text: string): Decimal {
  const negative = text.charCodeAt(0) === 45;
  const unsigned = negative ? text.slice(1) : text;
  const dot = unsigned.indexOf(".");
  return dot < 0
    ? strip(negative, unsigned, unsigned.length)
    : strip(negative, unsigned.slice(0, dot) + unsigned.slice(dot + 1), dot);
}

/** Takes zeros off both ends. */
function strip(negative: boolean, digits: string, point: number): Decimal {
  let start = 0;
  let end = digits.length;
  while (start < end && digits.charCodeAt(start) === 48) start++;
  while (end > start && digits.charCodeAt(end - 1) === 48) end--;
  if (start === end) return { negative: false, digits: "", point: 0 };
  return { negative, digits: digits.slice(start, end), point: point - start };
}

function limited(number: Decimal): Decimal {
  if (number.point > maxPoint) {
    throw validation("Number overflow. Attempting to store a number with magnitude larger than supported range");
  }
  if (number.digits !== "" && number.point < minPoint) {
    throw validation("Number underflow. Attempting to store a number with magnitude smaller than supported range");
  }
  if (number.digits.length > maxDigits) {
    throw validation("Attempting to store more than 38 significant digits in a Number");
  }
  return number;
}

function format({ negative, digits, point }: Decimal): string {
  if (digits === "") return "0";
  const sign = negative ? "-" : "";
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The number times 10^fraction, which is whole. */
function scaled({ negative, digits, point }: Decimal, fraction: number): bigint {
  if (digits === "") return 0n;
  const magnitude = BigInt(digits + "0".repeat(point - digits.length + fraction));
  return negative ? -magnitude : magnitude;
}
