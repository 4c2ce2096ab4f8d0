import { AwsError } from "../../../../core/errors";
import { allowsService } from "../../../../core/service-caller";
import { defineAction, required } from "./action";

const notJson = () => new AwsError("InvalidRequestContentException", "Could not parse request body into json", 400);

const denied = (rule: string, functionArn: string) =>
  new AwsError(
    "AccessDeniedException",
    `iot.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${functionArn} for ${rule} because no resource-based policy allows the lambda:InvokeFunction action`,
    403,
  );

/** https://docs.aws.amazon.com/iot/latest/developerguide/lambda-rule-action.html */
export const lambda = defineAction("lambda", {
  title: "LambdaAction",
  attempt: "invoke the function",
  service: "AWSLambda",
  members: { functionArn: required },
  compile({ functionArn = "" }, { rule, scope, bus, template }) {
    const fn = template(functionArn, "functionArn");
    const caller = { principal: "iot.amazonaws.com", sourceArn: rule.arn, sourceAccount: scope.account };
    return {
      resource: functionArn,
      async prepare({ message, fill, payload, isJson }) {
        const arn = await fill(fn);
        return {
          lane: `${arn} ${message.topic}`,
          resource: arn,
          detail: `Function: ${arn}`,
          async send() {
            const port = await bus.to("lambda");
            if (!allowsService(await port.policy(arn), caller, "lambda:InvokeFunction", arn))
              throw denied(rule.arn, arn);
            if (!isJson) throw notJson();
            await port.invokeAsync(arn, payload.toString("utf8"), caller);
          },
        };
      },
    };
  },
});
