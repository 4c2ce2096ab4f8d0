import type { Gap } from "../gap";

export const kinesisGaps: readonly Gap[] = [
  {
    lacks: "accepts what AWS refuses in Kinesis",
    aws: "ValidationException and LimitExceededException for names, numbers and shards that are not right",
    tests: [
      "kinesis-records: putting records > places them by the MD5 digest of their partition key, or by an explicit hash key",
      "kinesis-records: putting records > refuses a record with too much data",
      "kinesis-records: putting records > puts nothing on a dry run",
      "kinesis-streams: a stream > is gone when it is deleted, unless it has consumers",
      'kinesis-streams: a stream > is refused with {"StreamName":"no spaces"}',
      "kinesis-streams: a stream > is refused with {}",
      "kinesis-streams: shards > refuse splits and merges that cannot be",
      "kinesis-streams: shards > are as many and as equal as UpdateShardCount says, at most double, at least half, ten times a day",
      "kinesis-subscribe: lets a later subscription of the consumer take over, but not within five seconds",
      "kinesis-subscribe: tells a consumer when its stream is deleted",
    ],
  },
  {
    lacks: "makes sequence numbers of another form, and limits no reads and writes",
    aws: "56 digits; 5 reads, 1,000 records and 1 MiB a second and shard",
    tests: [
      "kinesis-records: putting records > gives each a sequence number of 56 digits that grows within its shard and from parents to children",
      "kinesis-records: putting records > takes records of up to 10 MiB where the stream allows them",
      "kinesis-records: putting records > takes 1 MiB a second for each shard, and says for each record of a call whether it was taken",
      "kinesis-records: reading records > allows five calls a second for each shard",
      "kinesis-records: shows every record exactly once, each key in order, to a consumer that goes from shards to their children (property)",
    ],
  },
  {
    lacks: "refuses with another code, status or text in Kinesis",
    aws: "The codes, statuses and texts of AWS",
    tests: [
      "kinesis-records: putting records > refuses a record with no key",
      "kinesis-records: putting records > refuses a record with a hash key that is no number",
      "kinesis-records: putting records > refuses calls with more than 500 records or 10 MiB, whole",
      "kinesis-streams: a stream > is found by its ARN as by its name, and by nobody else's name",
      "kinesis-streams: a stream > is another account's as its policy says, by its ARN, and no other region's",
      'kinesis-streams: a stream > is refused with {"ShardCount":0}',
      'kinesis-streams: a stream > is refused with {"StreamModeDetails":{"StreamMode":"ON_DEMAND"},"ShardCount":2}',
      'kinesis-streams: a stream > is refused with {"MaxRecordSizeInKiB":20000}',
      'kinesis-streams: a stream > is refused with {"Tags":{"bad<tag":"x"}}',
      'kinesis-streams: a stream > is refused with {"WarmThroughputMiBps":10}',
      "kinesis-streams: a stream > cannot be made twice",
      "kinesis-subscribe: refuses subscriptions of unknown consumers, shards and positions",
    ],
  },
  {
    lacks: "shows, splits and scales streams otherwise, and has no UpdateMaxRecordSize",
    aws: "Four shards on demand; ranges split where told; LimitExceededException",
    tests: [
      "kinesis-streams: a stream > is there as soon as it is made, with equal shards",
      "kinesis-streams: a stream > has four shards on demand, which its owner cannot change",
      "kinesis-streams: a stream > is listed with the others, page by page",
      "kinesis-streams: shards > split where told, and merge with their neighbours",
      "kinesis-streams: settings of a stream > tag it, by name or by ARN",
      "kinesis-streams: settings of a stream > mark its records as encrypted from then on",
      "kinesis-streams: settings of a stream > note which metrics its shards have",
      "kinesis-streams: consumers of a stream > are registered, described, listed and deregistered",
      "kinesis-streams: counts shards and on-demand streams against the account's limits",
    ],
  },
  {
    lacks: "pushes other events to subscribers",
    aws: "Events with Records, ContinuationSequenceNumber and ChildShards for five minutes",
    tests: [
      "kinesis-subscribe: pushes the records of a shard to a registered consumer, old ones and new ones as they come",
      "kinesis-subscribe: ends at the end of a closed shard, and names its children",
    ],
  },
];
