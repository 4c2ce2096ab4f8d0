/** What API Gateway turns into the response (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html). */
export interface ApiAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** An answer of JSON. */
export const answer = (statusCode: number, content: object): ApiAnswer => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});
