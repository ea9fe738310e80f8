import { Modal, Switch } from "@mantine/core";
import { useStore } from "zustand";
import { t } from "../lib/i18n";
import { keyOf, keys, setKeys, useKey } from "../lib/keys";
import { desk, useDesk } from "./desk";

/** By what one is doing; every one of them has its button too. */
const GROUPS: Record<string, [string, string[]][]> = {
  queue: [
    ["new", ["N"]], ["move", ["J", "K"]], ["open", ["↵"]], ["unheard", ["⇧ N"]], ["accept", ["A"]], ["alarm", ["A", "Alt A"]], ["shelve", ["S"]], ["dismiss", ["X"]], ["join", ["V"]],
  ],
  incident: [
    ["dispatch", ["D"]], ["pick", ["1 … 9"]], ["sendTicked", ["Ctrl ↵"]], ["priority", ["P", "1 … 4"]], ["tasks", ["Q"]], ["timeline", ["T"]], ["checkIn", ["E"]], ["moveUp", ["Y"]], ["close", ["C"]],
  ],
  map: [["map", ["M"]], ["centre", ["Espacio"]], ["layers", ["L"]], ["list", ["Alt M"]], ["closure", ["B"]], ["mark", ["← ↑", "Espacio"]], ["stroke", ["↵"]], ["corner", ["⌫"]]],
  desk: [["intake", ["F2"]], ["dispatchDesk", ["F3"]], ["supervision", ["F4"]], ["foot", ["F8"]], ["apart", ["F9"]], ["wall", ["F11"]], ["units", ["U"]], ["radio", ["R"]], ["handover", ["G", "R"]], ["storm", ["G", "S"]], ["walls", ["G", "W"]]],
  past: [["past", ["G", "P"]], ["pastPlay", ["F"]], ["pastMinute", [",", "."]], ["pastEvent", ["H", "⇧ H"]], ["pastPace", ["-", "+"]], ["pastBack", ["Esc"]]],
  command: [["search", ["Ctrl K", "/"]], ["command", ["."]], ["commandSend", ["N", "Ctrl ↵"]], ["commandPick", ["Alt 1 … 9"]]],
  forms: [["answer", ["1 … 9", "Alt 1 … 9"]], ["elsewhere", ["X", "Q", "H", "Z"]], ["place", ["↑", "↓"]], ["placeNumber", ["Alt 1 … 9"]], ["submit", ["Ctrl ↵"]], ["undo", ["Ctrl Z"]], ["back", ["Esc"]], ["sheet", ["?"]]],
};
const SHEET = Object.values(GROUPS).flat();

/** The actions of one letter, by the letter as it comes: what may be given another (Preferencias). */
export const LETTERS = SHEET.filter(([name, strokes]) => strokes[0] !== "G" && !name.startsWith("past")).flatMap(([name, strokes]) => strokes.filter((each) => /^[A-Z]$/.test(each)).map((each) => ({ name, letter: each.toLowerCase() }))).filter(
  ({ letter }, index, all) => all.findIndex((each) => each.letter === letter) === index,
);

export function KeySheet() {
  const help = useDesk((state) => state.help);
  const on = useStore(keys, (state) => state.on);
  useKey("?", () => desk.setState({ help: true }));
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={help} onClose={() => desk.setState({ help: false })} title={t("keys.title")} size="lg" closeButtonProps={{ "aria-label": t("action.close") }}>
      {Object.entries(GROUPS).map(([group, lines]) => (
        <section key={group} className="key-group">
          <h3>{t(`keys.groups.${group}`)}</h3>
          <dl className="key-sheet">
            {lines.map(([name, strokes]) => (
              <div key={name}>
                <dt>
                  {strokes.map((each) => (
                    <kbd key={each}>{/^[A-Z]$/.test(each) ? keyOf(each) : each}</kbd>
                  ))}
                </dt>
                <dd>{t(`keys.${name}`)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <Switch checked={on} onChange={(event) => setKeys(event.currentTarget.checked)} label={t("keys.letters")} description={t("keys.lettersHint")} />
    </Modal>
  );
}
