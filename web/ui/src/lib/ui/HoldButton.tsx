import { useEffect, useRef, useState } from "react";
import { t } from "../i18n";

const HOLD = 1_000;

/** For the few acts that must not happen by a slip: keep it pressed for one second (mouse, Space or Enter). */
export function HoldButton({ label, onHeld, disabled }: { label: string; onHeld: () => void; disabled?: boolean }) {
  const [held, setHeld] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const stop = () => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
    setHeld(false);
  };
  const begin = () => {
    if (timer.current || disabled) return;
    setHeld(true);
    timer.current = setTimeout(() => {
      stop();
      onHeld();
    }, HOLD);
  };
  useEffect(() => stop, []);
  const isPress = (key: string) => key === " " || key === "Enter";
  return (
    <button
      type="button"
      className={`hold-button${held ? " hold-button-held" : ""}`}
      disabled={disabled}
      onPointerDown={begin}
      onPointerUp={stop}
      onPointerLeave={stop}
      onBlur={stop}
      onKeyDown={(event) => {
        if (!isPress(event.key)) return;
        event.preventDefault();
        begin();
      }}
      onKeyUp={(event) => isPress(event.key) && stop()}
    >
      <span>{label}</span>
      <small>{t("action.holdHint")}</small>
    </button>
  );
}
