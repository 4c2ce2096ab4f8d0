import { type Case, json } from "./context";

const color = { color: "red", temperature: 50 };
const sensors = {
  e: [
    { n: "temperature", u: "Cel", t: 1234, v: 22.5 },
    { n: "light", u: "lm", t: 1235, v: 135 },
    { n: "acidity", u: "pH", t: 1235, v: 7 },
  ],
};
const enriched = { attributes: { data1: 1, data2: 2 }, values: [{ a: 3 }, { b: 4 }, { c: 5 }] };

/** Whole statements, from the examples of the AWS IoT SQL reference. */
export const statements: readonly Case[] = [
  { sql: "SELECT * FROM 'a/b'", payload: color, gives: color },
  { sql: "select color from 'a/b'", payload: color, gives: { color: "red" } },
  { sql: "SELECT color AS my_color FROM 'a/b'", payload: color, gives: { my_color: "red" } },
  {
    sql: "SELECT color as my_color, temperature as fahrenheit FROM 'a/b'",
    payload: color,
    gives: { my_color: "red", fahrenheit: 50 },
  },
  { sql: "SELECT *, 15 as speed FROM 'a/b'", payload: color, gives: { ...color, speed: 15 } },
  { sql: "SELECT *, 'blue' as color FROM 'a/b'", payload: color, gives: { ...color, color: "blue" } },
  { sql: "SELECT * AS payload, topic(1) FROM 'a/b'", payload: color, gives: { payload: color, topic: "things" } },
  { sql: "SELECT VALUE color FROM 'a/b'", payload: color, gives: "red" },
  { sql: "SELECT VALUE arr FROM 'topic'", payload: { a: { b: "c" }, arr: [1, 2, 3, 4] }, gives: [1, 2, 3, 4] },
  { sql: "SELECT value FROM 'a/b'", payload: { value: 5 }, gives: { value: 5 } },
  { sql: "SELECT color.red as red_value FROM 'a/b'", payload: { color: { red: 255 } }, gives: { red_value: 255 } },
  { sql: "SELECT color.red FROM 'a/b'", payload: { color: { red: 255 } }, gives: { red: 255 } },
  { sql: "SELECT foo.bar AS bar.baz FROM 'a/b'", payload: { foo: { bar: 1 } }, gives: { bar: { baz: 1 } } },
  { sql: "SELECT 1 AS s.a, 2 AS s.b FROM 'a/b'", gives: { s: { a: 1, b: 2 } } },
  {
    sql: "SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as my_color FROM 'a/b'",
    payload: color,
    gives: { celsius: 10, my_color: "RED" },
  },
  {
    sql: "SELECT color AS rgb FROM 'topic/subtopic' WHERE temperature > 50",
    payload: { color: "red", temperature: 100 },
    gives: { rgb: "red" },
  },
  { sql: "SELECT color AS rgb FROM 'topic/subtopic' WHERE temperature > 50", payload: color, gives: undefined },
  { sql: "SELECT color FROM 'a/b' WHERE missing > 50", payload: color, gives: undefined },
  { sql: "SELECT missing, color FROM 'a/b'", payload: color, gives: { color: "red" } },
  { sql: "SELECT missing FROM 'a/b'", payload: color, gives: {} },
  { sql: "SELECT NULL AS n FROM 'topic/subtopic'", gives: { n: null } },
  {
    sql: "SELECT temp, md5(deviceid) AS hashed_id FROM topic/#",
    payload: {
      deviceid: "iot123",
      temp: 54.98,
      humidity: 32.43,
      coords: { latitude: 47.615694, longitude: -122.3359976 },
    },
    gives: { temp: 54.98, hashed_id: "e37f81fb397e595c4aeb5645b8cbbbd1" },
  },
  {
    sql: "SELECT {'latitude': get(lat_long, 0),'longitude':get(lat_long, 1)} as lat_long FROM 'topic/subtopic'",
    payload: { lat_long: [47.606, -122.332] },
    gives: { lat_long: { latitude: 47.606, longitude: -122.332 } },
  },
  {
    sql: "SELECT [lat,long] as lat_long FROM 'a/b'",
    payload: { lat: 47.696, long: -122.332 },
    gives: { lat_long: [47.696, -122.332] },
  },
  {
    sql: "SELECT CASE color WHEN 'green' THEN 'go' WHEN 'yellow' THEN 'caution' WHEN 'red' THEN 'stop' ELSE 'you are not at a stop light' END as instructions FROM 'a/b'",
    payload: { color: "yellow" },
    gives: { instructions: "caution" },
  },
  {
    sql: "SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'",
    payload: sensors,
    gives: { sensors: ["temperature", "light", "acidity"] },
  },
  {
    sql: "SELECT (SELECT v FROM e WHERE n = 'temperature') as temperature FROM 'my/topic'",
    payload: sensors,
    gives: { temperature: [{ v: 22.5 }] },
  },
  {
    sql: "SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 'topic'",
    payload: sensors,
    gives: { temperature: 22.5 },
  },
  {
    sql: "select value transform(\"enrichArray\", attributes, values) from 'A/B'",
    payload: enriched,
    gives: [
      { a: 3, data1: 1, data2: 2 },
      { b: 4, data1: 1, data2: 2 },
      { c: 5, data1: 1, data2: 2 },
    ],
  },
  {
    sql: 'select value transform("enrichArray", {"key": attributes.data1}, values) from \'A/B\'',
    payload: enriched,
    gives: [
      { a: 3, key: 1 },
      { b: 4, key: 1 },
      { c: 5, key: 1 },
    ],
  },
  {
    sql: "select value transform('enrichArray', (select a, b from data2), (select value c from data2)) from 'A/B'",
    payload: {
      data2: {
        a: "first",
        b: "second",
        c: [
          { x: { i: 5 }, y: true },
          { x: { i: 10 }, y: false },
        ],
      },
    },
    gives: [
      { x: { i: 5 }, y: true, a: "first", b: "second" },
      { x: { i: 10 }, y: false, a: "first", b: "second" },
    ],
  },
  {
    sql: "SET @device = device1.deviceData.sensors SELECT @device.temp_fahrenheit AS temp_fahrenheit, @device.humidity as humidity FROM 'device/data' WHERE @device.humidity > 50",
    payload: { device1: { deviceData: { sensors: { temp_fahrenheit: 75, humidity: 60 } } } },
    gives: { temp_fahrenheit: 75, humidity: 60 },
  },
  // AWS has 23.89 here, which follows from no table of its own: Int operators give Ints.
  {
    sql: "SET @temp_celsius = (temp_fahrenheit - 32) * 5 / 9 SELECT @temp_celsius AS celsius, humidity FROM 'device/data'",
    payload: { temp_fahrenheit: 75, humidity: 60 },
    gives: { celsius: 23, humidity: 60 },
  },
  { sql: "SELECT abs(), color FROM 'a/b'", payload: color, gives: { color: "red" } },
  { sql: "SET @a = 2, @b = @a * 3 SELECT @b FROM 'a/b'", gives: { b: 6 } },
  { sql: "SELECT * FROM 'a/b'", payload: "not json", gives: Buffer.from("not json") },
  {
    sql: "SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 'a/b'",
    payload: "not json",
    gives: { data: "bm90IGpzb24=", ts: 1481825251155 },
  },
  { sql: "SELECT * FROM 'a/b' WHERE device_type = 'thermostat'", payload: "not json", gives: undefined },
  { sql: "SELECT * FROM 'a/b' WHERE timestamp() % 5 = 0", payload: "not json", gives: Buffer.from("not json") },
  { sql: "SELECT * FROM 'a/b'", payload: [1, 2], gives: [1, 2] },
  { sql: "SELECT * FROM 'a/b'", payload: "5", gives: 5 },
  { sql: "SELECT * FROM 'a/b'", payload: "", gives: Buffer.alloc(0) },
  {
    sql: "SELECT * FROM 'a/b'",
    payload: '{"id":12345678901234567890,"t":10.0,"__proto__":{"x":1}}',
    gives: json('{"id":12345678901234567890,"t":10,"__proto__":{"x":1}}'),
  },
  {
    sql: "SELECT *, 1 AS one FROM 'a/b'",
    payload: '{"__proto__":{"x":1}}',
    gives: json('{"__proto__":{"x":1},"one":1}'),
  },
  {
    sql: "SELECT t, t / 4 AS q, sqrt(9) AS r FROM 'a/b'",
    payload: '{"t":10.0}',
    version: "2015-10-08",
    gives: json('{"t":10.0,"q":2.5,"r":3.0}'),
  },
  { sql: "SELECT t, t / 4 AS q, sqrt(9) AS r FROM 'a/b'", payload: '{"t":10.0}', gives: json('{"t":10,"q":2,"r":3}') },
  { sql: "SELECT sql_version() AS v FROM 'a/b'", version: "beta", gives: { v: "beta" } },
  { sql: "SELECT temperature\n  FROM 'a/b'\n WHERE\ttemperature <> 0", payload: color, gives: { temperature: 50 } },
];
