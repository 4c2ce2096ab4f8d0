import { AwsError } from "../../../../core/errors";
import { defineAction, required } from "./action";

const notJson = () => new AwsError("InvalidRequestContentException", "Could not parse request body into json", 400);

/** https://docs.aws.amazon.com/iot/latest/developerguide/lambda-rule-action.html */
export const lambda = defineAction("lambda", {
  title: "LambdaAction",
  attempt: "invoke the function",
  service: "AWSLambda",
  members: { functionArn: required },
  compile({ functionArn = "" }, { bus, template }) {
    const fn = template(functionArn, "functionArn");
    return {
      resource: functionArn,
      async prepare({ message, fill, payload, isJson }) {
        const arn = await fill(fn);
        return {
          lane: `${arn} ${message.topic}`,
          resource: arn,
          detail: `Function: ${arn}`,
          async send(by) {
            if (!isJson) throw notJson();
            await (await bus.to("lambda")).invokeAsync(arn, payload.toString("utf8"), by);
          },
        };
      },
    };
  },
});
