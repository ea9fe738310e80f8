import { describe, expect, it } from "vitest";
import { standing, waitingFor, type Handover } from "./handover";
import type { Incident } from "./wire";

const NOW = Date.parse("2026-11-27T06:00:00Z");
const ago = (hours: number): string => new Date(NOW - hours * 3_600_000).toISOString();

describe("handing over", () => {
  it("reads the overdue first, then the gravest, then the oldest, and nothing that is over or hidden", () => {
    const incident = (id: string, more: Partial<Incident>): Incident => ({ id, masked: false, state: "dispatched", priority: 3, opened_at: ago(1), due_at: null, ...more }) as Incident;
    const found = standing([incident("old", { opened_at: ago(2) }), incident("new", {}), incident("grave", { priority: 1 }), incident("late", { due_at: ago(0.1) }), incident("over", { state: "closed" }), incident("hidden", { masked: true })], NOW);
    expect(found.map(({ id }) => id)).toEqual(["late", "grave", "old", "new"]);
  });

  it("waits for whom it was handed to, while it is news", () => {
    const page = (id: string, more: Partial<Handover>) => ({ id, to: { id: "ana", name: "Ana" }, received_at: null, made_at: ago(1), ...more }) as Handover;
    expect(waitingFor([page("received", { received_at: ago(0.5) }), page("others", { to: { id: "eva", name: "Eva" } }), page("mine", {})], "ana", NOW)?.id).toBe("mine");
    expect(waitingFor([page("yesterday", { made_at: ago(13) })], "ana", NOW)).toBeNull();
  });
});
