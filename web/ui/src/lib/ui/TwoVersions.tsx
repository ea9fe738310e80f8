import { Button } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import { hourSeconds } from "../format";
import { t } from "../i18n";

interface Version {
  label: string;
  theirs: ReactNode;
  mine: ReactNode;
}

interface Props {
  fields: Version[];
  /** Who made it what it is now, and when; where that is known. */
  by?: string;
  at?: string;
  hint?: string;
  busy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

/** Somebody changed meanwhile what is being changed here: both, side by side, and one click decides. */
export function TwoVersions({ fields, by, at, hint, busy, onMine, onTheirs }: Props) {
  return (
    <section className="two-versions" role="alert">
      <h3>{by && at ? t("conflict.by", { by, hour: hourSeconds(at) }) : t("conflict.title")}</h3>
      <dl className="facts">
        {fields.map(({ label, theirs, mine }) => (
          <Fragment key={label}>
            <dt>{t("conflict.theirs", { label })}</dt>
            <dd>{theirs}</dd>
            <dt>{t("conflict.mine", { label })}</dt>
            <dd>{mine}</dd>
          </Fragment>
        ))}
      </dl>
      {hint && <p className="hint">{hint}</p>}
      <div className="form-buttons">
        <Button size="sm" loading={busy} onClick={onMine}>
          {t("conflict.keepMine")}
        </Button>
        <Button size="sm" variant="default" onClick={onTheirs}>
          {t("conflict.keepTheirs")}
        </Button>
      </div>
    </section>
  );
}
