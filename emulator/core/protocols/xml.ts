import { XmlShapeDeserializer, XmlShapeSerializer } from "@aws-sdk/core/protocols";
import type { NormalizedSchema } from "@smithy/core/schema";
import { fromBase64, toBase64, toUtf8 } from "@smithy/core/serde";
import { AwsError } from "../errors";
import type { ServiceModel } from "./model";

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

/** Text that may stand inside an XML element or attribute. */
export const escapeXml = (text: string): string => text.replace(/[&<>"\r]/g, (character) => entities[character]!);

/** `<name>text</name>`, nested for objects. */
export const element = (name: string, content: unknown): string =>
  content === undefined || content === null
    ? ""
    : Array.isArray(content)
      ? content.map((part) => element(name, part)).join("")
      : typeof content === "object" && !(content instanceof Date)
        ? `<${name}>${Object.entries(content)
            .map(([key, value]) => element(key, value))
            .join("")}</${name}>`
        : `<${name}>${escapeXml(content instanceof Date ? content.toISOString() : String(content))}</${name}>`;

const malformed = () =>
  new AwsError(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

/** Whether a reference such as `&#xD800;` names what no XML text may have (https://www.w3.org/TR/xml/#NT-Char). */
function refersToNoCharacter(xml: string): boolean {
  for (const [, hexadecimal, decimal] of xml.matchAll(/&#(?:x([0-9a-f]+)|(\d+));/gi)) {
    const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    const isBeyond = code > 0x10_ffff || code === 0xfffe || code === 0xffff;
    if (isBeyond || (code >= 0xd800 && code < 0xe000) || (code < 0x20 && ![9, 10, 13].includes(code))) return true;
  }
  return false;
}

/** XML bodies through the SDK's own serializers. */
export class XmlCodec {
  private readonly settings;

  constructor(model: ServiceModel, timestampFormat: 5 | 7 = 5) {
    this.settings = {
      timestampFormat: { useTrait: true as const, default: timestampFormat },
      httpBindings: false,
      xmlNamespace: model.xmlNamespace,
      serviceNamespace: model.namespace,
    };
  }

  /** @throws AwsError MalformedXML when the text is not well-formed or has another shape. */
  read(schema: NormalizedSchema, body: Buffer): Record<string, unknown> {
    const deserializer = new XmlShapeDeserializer(this.settings);
    deserializer.setSerdeContext(serde);
    if (refersToNoCharacter(body.toString("latin1"))) throw malformed();
    try {
      return (deserializer.read(schema, body) ?? {}) as Record<string, unknown>;
    } catch {
      throw malformed();
    }
  }

  /** The structure as an element with its own name and namespace. */
  write(schema: NormalizedSchema, value: Record<string, unknown>): string {
    const serializer = new XmlShapeSerializer(this.settings);
    serializer.setSerdeContext(serde);
    serializer.write(schema, value);
    return String(serializer.flush());
  }
}

/** The SDK's serializers take their helpers for bytes from the client that they normally live in. */
const serde = { base64Decoder: fromBase64, base64Encoder: toBase64, utf8Encoder: toUtf8 } as never;

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
