import { Modal, Switch } from "@mantine/core";
import { useStore } from "zustand";
import { t } from "../lib/i18n";
import { keys, setKeys, useKey } from "../lib/keys";
import { desk, useDesk } from "./desk";

const SHEET: [string, string[]][] = [
  ["new", ["N"]], ["move", ["J", "K"]], ["open", ["↵"]], ["accept", ["A"]], ["dismiss", ["X"]], ["join", ["V"]], ["dispatch", ["D"]], ["alarm", ["R"]], ["checkIn", ["E"]],
  ["pick", ["1 … 9"]], ["sendTicked", ["Ctrl ↵"]], ["moveUp", ["Y"]], ["close", ["C"]], ["timeline", ["T"]], ["tasks", ["P"]], ["units", ["U"]], ["map", ["M"]], ["centre", ["Espacio"]],
  ["place", ["↑", "↓"]], ["placeNumber", ["Alt 1 … 9"]], ["closure", ["B"]], ["mark", ["← ↑", "Espacio"]], ["stroke", ["↵"]], ["corner", ["⌫"]],
  ["list", ["Alt M"]], ["storm", ["G", "S"]], ["submit", ["Ctrl ↵"]], ["undo", ["Ctrl Z"]], ["back", ["Esc"]], ["sheet", ["?"]],
];

export function KeySheet() {
  const help = useDesk((state) => state.help);
  const on = useStore(keys, (state) => state.on);
  useKey("?", () => desk.setState({ help: true }));
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={help} onClose={() => desk.setState({ help: false })} title={t("keys.title")} size="lg" closeButtonProps={{ "aria-label": t("action.close") }}>
      <dl className="key-sheet">
        {SHEET.map(([name, strokes]) => (
          <div key={name}>
            <dt>
              {strokes.map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{t(`keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
      <Switch checked={on} onChange={(event) => setKeys(event.currentTarget.checked)} label={t("keys.letters")} description={t("keys.lettersHint")} />
    </Modal>
  );
}
