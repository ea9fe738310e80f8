import { expect, it } from "vitest";
import { scriptOf } from "./edition";

it("knows a page's edition by the script that it begins with", () => {
  const page = '<script src="/static/theme.js"></script><script type="module" crossorigin src="/static/assets/index-B1x_9.js"></script>';
  expect(scriptOf(page)).toBe("/static/assets/index-B1x_9.js");
  expect(scriptOf("//consola.example/static/assets/index-B1x_9.js")).toBe("/static/assets/index-B1x_9.js");
  expect(scriptOf("<p>mantenimiento</p>")).toBeNull();
});
