import { describe, expect, it } from "vitest";
import { alarmGroups, alarmWords, ruleScope, ruleWords, span } from "./alarms";
import type { Alarm, AlarmKind, WatchdogRule } from "./wire";

const NOW = Date.parse("2026-11-20T15:00:00Z");
const alarm = (kind: AlarmKind, minutes: number, more: Partial<Alarm> = {}): Alarm => {
  const at = new Date(NOW - minutes * 60_000).toISOString();
  const id = `${kind}-${minutes}`;
  return {
    subject: `alarm:${id}`, id, version: 1, kind, severity: "medium", state: "raised", about: "unit:1", since: at, raised_at: at, incident_id: null,
    incident_code: null, unit_id: "1", call_sign: "M1", assignment_id: null, facts: { priority: 3 }, ...more,
  };
};

describe("alarms", () => {
  it("stand alone while they are few, the gravest first", () => {
    const p1 = alarm("stuck", 1, { facts: { priority: 1 } });
    const sos = alarm("sos_unanswered", 0);
    const old = alarm("battery_low", 9);
    expect(alarmGroups([old, p1, sos]).alone).toEqual([sos, p1, old]);
    expect(alarmGroups([old, p1, sos]).grouped).toEqual([]);
  });

  it("stand behind one line when they are many of a kind, but never a P1 or an SOS", () => {
    const many = [1, 2, 3, 4].map((minutes) => alarm("unacknowledged", minutes));
    const grave = [5, 6].map((minutes) => alarm("unacknowledged", minutes, { facts: { priority: 1 } }));
    const sos = [alarm("sos_unanswered", 1), alarm("sos_unanswered", 2)];
    const single = alarm("battery_low", 1);
    const { alone, grouped } = alarmGroups([...many, ...grave, ...sos, single]);
    expect(new Set(alone)).toEqual(new Set([...grave, ...sos, single]));
    expect(grouped).toEqual([["unacknowledged", [...many].reverse()]]);
  });

  it("that are answered or shelved stand aside", () => {
    const { alone, answered, shelved } = alarmGroups([alarm("stuck", 1, { state: "answered" }), alarm("stuck", 2, { state: "shelved" })]);
    expect([alone.length, answered.length, shelved.length]).toEqual([0, 1, 1]);
  });

  it("say what is wrong in one sentence", () => {
    expect(alarmWords(alarm("unacknowledged", 2), NOW)).toBe("M1 no acusó en 2 min");
    expect(alarmWords(alarm("not_moving", 3, { facts: { metres_away: 2000 } }), NOW)).toBe("M1 está en camino y no se mueve hace 3 min a 2 km del lugar");
    expect(alarmWords(alarm("battery_low", 3, { facts: { percent: 12 } }), NOW)).toBe("M1: batería al 12 %");
  });

  it("have rules that are sentences", () => {
    const rule: WatchdogRule = {
      key: "a", kind: "unacknowledged", seconds: 60, escalate_after: 60, severity: "high", steps: ["desk"], priority: 1, unit_kind: null, status: null,
      threshold: null, repeat_after: null, enabled: true,
    };
    expect(ruleWords(rule)).toBe("Si nadie acusa en 1 min");
    expect(ruleScope(rule, [rule])).toBe("Prioridad 1");
    expect(ruleScope({ ...rule, priority: null, unit_kind: "fire" }, [rule])).toBe("Bomberos");
    expect(ruleScope({ ...rule, key: "b", priority: null }, [rule])).toBe("Los demás");
    expect(ruleScope({ ...rule, priority: null }, [rule])).toBe("Todos");
    expect([5, 60, 90, 150, 1200, 7200].map(span)).toEqual(["5 s", "1 min", "90 s", "2 min 30 s", "20 min", "2 h"]);
    expect(ruleWords({ ...rule, kind: "battery_low", threshold: 0.2 })).toBe("Si la batería baja de 20 %");
  });
});
