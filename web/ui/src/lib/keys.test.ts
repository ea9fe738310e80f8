import { describe, expect, it } from "vitest";
import { stroke } from "./keys";

const pressed = (key: string, more: Partial<KeyboardEvent> = {}) => stroke({ key, code: `Key${key.toUpperCase()}`, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

describe("a stroke", () => {
  it("is one name whatever the keyboard", () => {
    expect(pressed("n")).toBe("n");
    expect(pressed("N")).toBe("n"); // caps lock
    expect(pressed("N", { shiftKey: true })).toBe("shift+n");
    expect(pressed("n", { shiftKey: true })).toBe("shift+n"); // caps lock and shift
    expect(pressed("?", { shiftKey: true })).toBe("?");
    expect(pressed("Z", { metaKey: true })).toBe("ctrl+z");
    expect(pressed("µ", { altKey: true, code: "KeyM" })).toBe("alt+m");
    expect(pressed("Escape")).toBe("escape");
  });
});
