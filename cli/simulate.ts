/** A Thingsee message as Haltian's cloud sends it; profile data stands at the root. */
export type Reading = Record<string, string | number>;

/** One imagined device: what it measures next, given the seconds since the epoch. */
type Device = (seconds: number) => Reading;

export const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** Walks randomly between two limits, a little at a time, as rooms and batteries do. */
export function drift(from: number, to: number, step: number): () => number {
  let value = from + Math.random() * (to - from);
  return () => {
    value = Math.min(to, Math.max(from, value + (Math.random() * 2 - 1) * step));
    return value;
  };
}

const header = (tuid: string, tsmId: number, tsmEv: number, seconds: number): Reading => ({
  tsmId,
  tsmEv,
  tsmTs: round(seconds, 3),
  tsmTuid: tuid,
  tsmGw: "TSGW01ABC123456",
});

function environment(tuid: string): Device {
  const [temp, humd, airp, lght] = [
    drift(19, 24, 0.1),
    drift(30, 55, 0.3),
    drift(100_200, 102_100, 15),
    drift(0, 700, 20),
  ];
  return (seconds) => ({
    ...header(tuid, 12100, 10, seconds),
    temp: round(temp(), 1),
    humd: round(humd(), 1),
    airp: round(airp(), 1),
    lght: Math.round(lght()),
  });
}

/** Counts are since the last report (Thingsee Presence Profile). */
function movement(tuid: string): Device {
  return (seconds) => ({ ...header(tuid, 13100, 10, seconds), moveCount: Math.floor(Math.random() * 5) });
}

function occupancy(tuid: string): Device {
  return (seconds) => {
    const count = Math.floor(Math.random() * 3);
    return { ...header(tuid, 13102, 10, seconds), count, duration: count && Math.ceil(Math.random() * 60) };
  };
}

function battery(tuid: string): Device {
  const level = drift(20, 100, 0.05);
  return (seconds) => ({ ...header(tuid, 1110, 10, seconds), batl: Math.round(level()) });
}

const kinds = [environment, movement, occupancy, battery];

/** A dozen devices, three of each kind. */
export function makeDevices(): readonly Device[] {
  return Array.from({ length: 12 }, (_, index) => {
    const kind = kinds[index % kinds.length]!;
    return kind(`TSPR04E2O9020${String(1500 + index)}`);
  });
}

/** One reading, for a command that people can paste. */
export const sampleReading = (seconds: number): Reading => ({
  ...header("TSPR04E2O90201558", 12100, 10, Math.floor(seconds)),
  temp: 21.3,
  humd: 45.2,
});

/**
 * Posts what the devices measure, every second, until stopped.
 *
 * @returns the way to stop.
 */
export function simulate(url: string, headers: Record<string, string>, onFailure: (why: string) => void): () => void {
  const devices = makeDevices();
  const timer = setInterval(() => {
    const seconds = Date.now() / 1000;
    const body = JSON.stringify(devices.filter(() => Math.random() < 0.6).map((device) => device(seconds)));
    fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body })
      .then((response) => response.arrayBuffer())
      .catch((error: Error) => onFailure(String(error.cause ?? error.message)));
  }, 1000);
  return () => clearInterval(timer);
}
