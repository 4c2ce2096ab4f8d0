import { AwsError } from "../../../core/errors";

/**
 * A refused shadow request
 * (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-error-messages.html): over HTTP an error, over
 * MQTT a message on `.../rejected` with its status as code.
 */
const invalid = (message: string) => new AwsError("InvalidRequestException", message, 400);

export const invalidJson = () => invalid("Invalid JSON");
export const missingState = () => invalid("Missing required node: state");
export const notAnObject = (node: "State" | "Desired" | "Reported") => invalid(`${node} node must be an object`);
export const invalidNode = () => invalid("State contains an invalid node");
export const invalidVersion = () => invalid("Invalid version");
export const invalidClientToken = () => invalid("Invalid clientToken");
export const tooDeep = () => invalid("JSON contains too many levels of nesting; maximum is 8");
export const invalidThingName = () => invalid("Invalid thing name");
export const invalidShadowName = () => invalid("Invalid shadow name");

export const noShadow = (thing: string, shadow: string | undefined) =>
  new AwsError(
    "ResourceNotFoundException",
    shadow === undefined
      ? `No shadow exists with name: '${thing}'`
      : `No shadow exists with name: '${thing}~${shadow}'`,
    404,
  );

export const versionConflict = () => new AwsError("ConflictException", "Version conflict", 409);

export const tooLarge = () =>
  new AwsError("RequestEntityTooLargeException", "The payload exceeds the maximum size allowed", 413);

export const wrongEncoding = () =>
  new AwsError(
    "UnsupportedDocumentEncodingException",
    "Unsupported documented encoding; supported encoding is UTF-8",
    415,
  );
