import { Button, Modal, SegmentedControl, Slider, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { t, type Language } from "../lib/i18n";
import { takenBy } from "../lib/keys";
import { board } from "../lib/live";
import { playTest, wake } from "../lib/player";
import { prefer, usePrefs } from "../lib/prefs";
import { P1_FLOOR, SOS_FLOOR } from "../lib/sounds";
import { desk, useDesk } from "./desk";
import { LETTERS } from "./KeySheet";

/** What follows a person to any seat. Everything holds at once; there is nothing to save. */
export function Preferences() {
  const open = useDesk((state) => state.sheet === "preferences");
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={open} onClose={() => desk.setState({ sheet: null })} title={t("prefs.title")} size="xl" closeButtonProps={{ "aria-label": t("action.close") }}>
      <div className="prefs">
        <Sound />
        <Keys />
        <Look />
      </div>
    </Modal>
  );
}

function Sound() {
  const volume = usePrefs((state) => state.volume);
  const vibration = usePrefs((state) => state.vibration);
  const mine = usePrefs((state) => state.desk);
  const desks = [...new Set(board.incidents().flatMap(({ desk: each }) => (each ? [each] : [])))].sort();
  const test = () => void wake().then((runs) => runs && playTest());
  return (
    <section aria-labelledby="prefs-sound">
      <h3 id="prefs-sound">{t("sound.title")}</h3>
      <div className="prefs-volume">
        <Slider thumbLabel={t("prefs.volume")} value={volume} step={5} onChange={(next) => prefer({ volume: next })} label={(value) => t("prefs.percent", { n: value })} marks={[{ value: 100 * P1_FLOOR }, { value: 100 * SOS_FLOOR }]} />
        <Button size="compact-sm" variant="default" onClick={test}>
          {t("sound.test")}
        </Button>
      </div>
      <p className="hint">{t("prefs.floors", { volume, sos: 100 * SOS_FLOOR, p1: 100 * P1_FLOOR })}</p>
      <TextInput label={t("prefs.desk")} description={t("prefs.deskHint")} value={mine} maxLength={80} list="prefs-desks" onChange={(event) => prefer({ desk: event.currentTarget.value })} />
      <datalist id="prefs-desks">
        {desks.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <Switch checked={vibration} onChange={(event) => prefer({ vibration: event.currentTarget.checked })} label={t("prefs.vibration")} />
    </section>
  );
}

function Keys() {
  const letters = usePrefs((state) => state.letters);
  const map = usePrefs((state) => state.keys);
  const [refused, setRefused] = useState<string | null>(null);
  const actions = LETTERS.map(({ letter }) => letter);
  const give = (action: string, typed: string) => {
    const letter = typed.toLowerCase();
    if (!/^[a-zñ]$/.test(letter)) return;
    const other = letter === "g" ? "g" : takenBy(letter, action, actions, map);
    if (other) {
      setRefused(t("prefs.taken", { letter: letter.toUpperCase(), what: letter === "g" ? t("prefs.sequences") : t(`keys.${LETTERS.find((each) => each.letter === other)?.name ?? ""}`) }));
      return;
    }
    setRefused(null);
    prefer({ keys: Object.fromEntries(Object.entries({ ...map, [action]: letter }).filter(([from, to]) => from !== to)) });
  };
  return (
    <section aria-labelledby="prefs-keys">
      <h3 id="prefs-keys">{t("keys.title")}</h3>
      <Switch checked={letters} onChange={(event) => prefer({ letters: event.currentTarget.checked })} label={t("keys.letters")} description={t("keys.lettersHint")} />
      <p className="hint">{t("prefs.keysHint")}</p>
      {refused && (
        <p className="form-failure" role="alert">
          {refused}
        </p>
      )}
      <ul className="prefs-keys">
        {LETTERS.map(({ letter, name }) => (
          <li key={letter}>
            <input id={`prefs-key-${letter}`} disabled={!letters} autoComplete="off" spellCheck={false} value={(map[letter] ?? letter).toUpperCase()} onChange={(event) => give(letter, (event.nativeEvent as InputEvent).data ?? "")} onFocus={(event) => event.currentTarget.select()} />
            <label htmlFor={`prefs-key-${letter}`}>{t(`keys.${name}`)}</label>
          </li>
        ))}
      </ul>
      {Object.keys(map).length > 0 && (
        <div>
          <Button size="compact-sm" variant="default" onClick={() => (setRefused(null), prefer({ keys: {} }))}>
            {t("prefs.factoryKeys")}
          </Button>
        </div>
      )}
    </section>
  );
}

function Look() {
  const theme = usePrefs((state) => state.theme);
  const language = usePrefs((state) => state.language);
  return (
    <section aria-labelledby="prefs-look">
      <h3 id="prefs-look">{t("prefs.look")}</h3>
      <SegmentedControl
        aria-label={t("prefs.theme")}
        value={theme}
        onChange={(value) => prefer({ theme: value as typeof theme })}
        data={(["system", "light", "dark"] as const).map((value) => ({ value, label: t(`prefs.themes.${value}`) }))}
      />
      <SegmentedControl
        aria-label={t("prefs.language")}
        value={language ?? "es-AR"}
        onChange={(value) => prefer({ language: value as Language })}
        data={(["es-AR", "en"] as const).map((value) => ({ value, label: <span lang={value}>{t(`prefs.languages.${value}`)}</span> }))}
      />
      <p className="hint">{t("prefs.languageHint")}</p>
    </section>
  );
}
