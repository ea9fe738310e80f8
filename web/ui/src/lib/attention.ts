/** A tab in the background still says that something waits: its title, a number on its icon, and both flash for P1 and SOS alone. */
import { useEffect } from "react";
import { t } from "./i18n";
import { present, usePresent } from "./live";
import { isUnacknowledged } from "./queue";
import { isUnheard } from "./sounds";
import { token } from "./theme";

const FLASH_EVERY = 1_000;
const SIZE = 64;

export function useAttention(): void {
  usePresent();
  const dangers = present.sos().filter(({ answered_at }) => answered_at === null);
  const grave = present.incidents().filter((incident) => !incident.masked && incident.priority === 1 && isUnacknowledged(incident));
  const hot = dangers[0] ? t("sos.page", { unit: dangers[0].call_sign }) : grave.length > 0 ? t("page.consoleHot", { n: grave.length }) : null;
  const flashes = dangers.length > 0 || grave.some(isUnheard);
  const count = dangers.length + grave.length;
  useEffect(() => {
    document.title = hot ?? t("page.console");
    void badge(count);
    if (hot === null || !flashes || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    let on = true;
    const timer = setInterval(() => {
      on = !on;
      document.title = on ? hot : `● ${hot}`;
      void badge(on ? count : 0);
    }, FLASH_EVERY);
    return () => clearInterval(timer);
  }, [hot, flashes, count]);
}

let shown = 0;
let plain: string | null = null;

/** The number in the corner of the tab's icon; none for nought. */
async function badge(count: number): Promise<void> {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!icon || count === shown) return;
  plain ??= icon.href;
  shown = count;
  const href = count === 0 ? plain : await drawn(plain, count);
  if (shown !== count) return;
  icon.type = count === 0 ? "image/svg+xml" : "image/png";
  icon.href = href;
}

async function drawn(ground: string, count: number): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const brush = canvas.getContext("2d");
  if (!brush) return ground;
  const picture = new Image();
  picture.src = ground;
  try {
    await picture.decode();
    brush.drawImage(picture, 0, 0, SIZE, SIZE);
  } catch {
    // The number alone, then.
  }
  brush.fillStyle = token("--p1");
  brush.beginPath();
  brush.arc(SIZE * 0.62, SIZE * 0.62, SIZE * 0.38, 0, 2 * Math.PI);
  brush.fill();
  brush.fillStyle = token("--p1-text");
  brush.font = `700 ${SIZE * 0.52}px sans-serif`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.fillText(count > 9 ? "9+" : String(count), SIZE * 0.62, SIZE * 0.66, SIZE * 0.6);
  return canvas.toDataURL("image/png");
}
