import type { Gap } from "../gap";

export const cognitoGaps: readonly Gap[] = [
  {
    lacks: "issues tokens with other claims, and serves no OAuth token endpoint by Basic credentials",
    aws: "Claims as documented; /oauth2/token takes Basic and form credentials",
    tests: [
      "cognito-tokens: a sign-in with a password > gives tokens that aws-jwt-verify accepts with the keys that their issuer serves",
      "cognito-tokens: a sign-in with a password > names the user's groups, the one with the lowest precedence first, and its role",
      "cognito-tokens: a sign-in with a password > works only in the flows that the client allows",
      "cognito-tokens: the token endpoint of a pool's domain > gives a machine an access token with the client's scopes, by Basic or form credentials",
      "cognito-tokens: the token endpoint of a pool's domain > answers mistakes as OAuth 2.0 words them",
    ],
  },
  {
    lacks: "refuses with another code, status or text in Cognito",
    aws: "The codes, statuses and texts of AWS",
    tests: [
      "cognito-tokens: an access token > that was forged, or is an id token, is invalid",
      "cognito-user-pools: a user pool > shares its domain with no other pool",
    ],
  },
  {
    lacks: "accepts what AWS refuses in Cognito",
    aws: "Names, policies and what belongs to another pool are checked: InvalidParameterException and its like",
    tests: [
      "cognito-tokens: a refresh token > is replaced at each use where the client rotates",
      "cognito-user-pools: a user pool > is deleted only without protection and without domain",
      "cognito-user-pools: a user pool > keeps its MFA settings, and refuses a sign-in that would need a second factor",
      "cognito-user-pools: a user pool > with Lambda triggers is refused as not emulated, and nothing is made",
      "cognito-user-pools: an app client > is refused when its OAuth settings do not fit together",
      "cognito-user-pools: a user > has only attributes of the pool's schema, and all required ones",
      "cognito-user-pools: a user > is found by filters and pages, and no more once deleted",
    ],
  },
  {
    lacks: "keeps what an update leaves out, and words errors otherwise",
    aws: "UpdateUserPool sets what is left out to its default",
    tests: [
      "cognito-user-pools: a user pool > goes back to defaults for what an update leaves out",
      "cognito-user-pools: an app client > has a secret only where one was asked for, and keeps it when it is updated",
      "cognito-user-pools: a user > that an administrator made must choose a password at the first sign-in",
      "cognito-user-pools: a user > needs a password that follows the pool's policy",
      "cognito-user-pools: a user > signs in with the e-mail address, in any letter case, where the pool says so",
    ],
  },
];
