import { byId } from "../shared/elements";
import { Chart } from "./chart";
import type { Device } from "./devices";

/** A chart for each device that sends numbers; only those on the screen are drawn. */
export class Charts {
  private readonly grid = byId("charts");
  private readonly charts = new Map<string, Chart>();
  private readonly byElement = new WeakMap<Element, Chart>();
  private readonly onScreen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) this.byElement.get(target)?.setVisible(isIntersecting);
    },
    { rootMargin: "200px" },
  );
  private readonly sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) this.byElement.get(target)?.resize();
  });

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const chart of this.charts.values()) chart.recolour();
    });
  }

  show(devices: readonly Device[]): void {
    const measuring = devices.filter(({ series }) => series.size > 0);
    const names = new Set(measuring.map(({ name }) => name));
    for (const [name, chart] of this.charts) if (!names.has(name)) this.remove(name, chart);
    let place = this.grid.firstElementChild;
    for (const device of measuring) {
      const chart = this.charts.get(device.name) ?? this.create(device);
      if (chart.element === place) place = place.nextElementSibling;
      else this.grid.insertBefore(chart.element, place);
      chart.update(device);
    }
  }

  private create(device: Device): Chart {
    const chart = new Chart(device);
    this.charts.set(device.name, chart);
    this.byElement.set(chart.element, chart);
    this.onScreen.observe(chart.element);
    this.sizes.observe(chart.element);
    return chart;
  }

  private remove(name: string, chart: Chart): void {
    this.onScreen.unobserve(chart.element);
    this.sizes.unobserve(chart.element);
    chart.setVisible(false);
    chart.element.remove();
    this.charts.delete(name);
  }
}
